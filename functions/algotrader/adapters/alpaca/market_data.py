"""Owns the market data API: daily bars, latest prices, corporate actions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, timedelta
from typing import TypeVar

import msgspec

from algotrader.adapters.alpaca import wire
from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.faults import leaf_for
from algotrader.adapters.alpaca.reply import Reply, decode_reply, invalid
from algotrader.errors import BrokerUnavailableError
from algotrader.model import Bar, CorporateAction, LatestPrice
from algotrader.plain_text import printable
from algotrader.soundness import sound_float

PageT = TypeVar("PageT", wire.BarsPage, wire.CorporateActionsPage)

BARS_PAGE = 10_000
ACTIONS_PAGE = 1000
#: Symbols of one request, so that its address stays short.
SYMBOLS_PER_REQUEST = 200
#: The list is filtered by processing date, which lies some days beside the ex-date.
ACTIONS_MARGIN = timedelta(days=10)
_ACTIONS_VERSIONS = ("v1", "v1beta1")
_NOT_OFFERED = frozenset({403, 404})


class MarketData:
    """The market's part of `algotrader.broker.Broker`."""

    def __init__(self, client: AlpacaClient) -> None:
        self._data = client

    def bars(
        self, symbols: Iterable[str], start: date, end: date, feed: str, adjustment: str
    ) -> dict[str, tuple[Bar, ...]]:
        """Read daily bars, page by page, for a few hundred symbols a request."""
        found: dict[str, dict[date, Bar]] = defaultdict(dict)
        for batch in batches(symbols):
            parameters: dict[str, str | int] = {
                "symbols": ",".join(batch),
                "timeframe": "1Day",
                "start": f"{start}T00:00:00Z",
                "end": f"{end}T23:59:59Z",
                "limit": BARS_PAGE,
                "adjustment": adjustment,
                "feed": feed,
            }
            for page in self._pages("/stocks/bars", parameters, _bars_page):
                for symbol, rows in (page.bars or {}).items():
                    for row in rows or ():
                        bar = row.to_model()
                        if symbol in batch and start <= bar.session <= end:
                            found[symbol][bar.session] = bar
        return {
            symbol: tuple(by_day[day] for day in sorted(by_day))
            for symbol, by_day in sorted(found.items())
        }

    def latest_prices(self, symbols: Iterable[str], feed: str) -> dict[str, LatestPrice]:
        """Read the last trade of each symbol; one without a trade at a price is absent."""
        prices: dict[str, LatestPrice] = {}
        for batch in batches(symbols):
            reply = self._data.read_data(
                "/stocks/trades/latest", {"symbols": ",".join(batch), "feed": feed}
            )
            if not reply.ok:
                raise leaf_for(reply.request, reply)
            trades = decode_reply(reply, wire.LatestTrades).trades or {}
            for symbol, trade in trades.items():
                if symbol in batch and trade is not None and trade.p > 0:
                    prices[symbol] = LatestPrice(trade.p, trade.t.astimezone(UTC))
        return prices

    def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> tuple[CorporateAction, ...] | None:
        """Read corporate actions; ``kind`` is Alpaca's word in the singular.

        None if the server has none of the list's versions.
        """
        found: set[CorporateAction] = set()
        for batch in batches(symbols):
            pages = self._action_pages(batch, start, end)
            if pages is None:
                return None
            for page in pages:
                for plural, rows in (page.corporate_actions or {}).items():
                    for row in rows or ():
                        kind = printable(plural.lower().removesuffix("s"))
                        found.update(_actions(kind, row, batch))
        return tuple(
            sorted(
                (each for each in found if start <= each.ex_date <= end),
                key=lambda each: (each.ex_date, each.symbol, each.kind),
            )
        )

    def _action_pages(
        self, batch: list[str], start: date, end: date
    ) -> list[wire.CorporateActionsPage] | None:
        parameters: dict[str, str | int] = {
            "symbols": ",".join(batch),
            "start": (start - ACTIONS_MARGIN).isoformat(),
            "end": (end + ACTIONS_MARGIN).isoformat(),
            "limit": ACTIONS_PAGE,
        }
        for version in _ACTIONS_VERSIONS:
            try:
                return list(self._pages("/corporate-actions", parameters, _actions_page, version))
            except _NotOfferedError:
                continue
        return None

    def _pages(
        self,
        path: str,
        parameters: dict[str, str | int],
        read: Callable[[Reply], PageT],
        version: str = "v2",
    ) -> Iterator[PageT]:
        seen: set[str] = set()
        asked = dict(parameters)
        while True:
            reply = self._data.read_data(path, asked, version)
            if version != "v2" and reply.status in _NOT_OFFERED:
                raise _NotOfferedError
            if not reply.ok:
                raise leaf_for(reply.request, reply)
            page = read(reply)
            yield page
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise invalid(reply.request, "its pages do not go on")
            seen.add(token)
            asked["page_token"] = token


class _NotOfferedError(Exception):
    """The server has no such list."""


def batches(symbols: Iterable[str]) -> list[list[str]]:
    """Cut symbols into sorted lists that fit one request each."""
    names = sorted(set(symbols))
    return [
        names[at : at + SYMBOLS_PER_REQUEST] for at in range(0, len(names), SYMBOLS_PER_REQUEST)
    ]


def _bars_page(reply: Reply) -> wire.BarsPage:
    """Read a page of bars; the JSON that Python writes for NaN is read too, so that a bar without
    a number is reported by its symbol and not as a broken page.
    """
    try:
        return decode_reply(reply, wire.BarsPage)
    except BrokerUnavailableError as error:
        if error.code != "BROKER_ANSWER_NOT_JSON":
            raise
        try:
            return msgspec.convert(json.loads(reply.body, parse_float=sound_float), wire.BarsPage)
        except msgspec.ValidationError as misfit:
            raise invalid(reply.request, str(misfit)) from misfit
        except (ValueError, RecursionError):
            raise error from None


def _actions_page(reply: Reply) -> wire.CorporateActionsPage:
    return decode_reply(reply, wire.CorporateActionsPage)


def _actions(kind: str, row: wire.CorporateAction, batch: list[str]) -> Iterator[CorporateAction]:
    day = row.day
    for symbol in row.symbols & set(batch):
        if day is not None:
            yield CorporateAction(
                symbol=symbol,
                kind=kind,
                ex_date=day,
                ratio=row.ratio(kind) if symbol == row.symbol else None,
                others=tuple(sorted(row.symbols - {symbol})),
            )
