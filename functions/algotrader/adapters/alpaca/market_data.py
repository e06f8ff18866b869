"""Owns the market data API: daily bars, latest prices, corporate actions."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TypeVar
from urllib.parse import quote

import msgspec

from algotrader.adapters.alpaca import wire
from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.faults import require_ok
from algotrader.adapters.alpaca.reply import Reply, decode_reply, invalid
from algotrader.errors import BrokerUnavailableError
from algotrader.model import Bars, CorporateAction, LatestPrice, Session
from algotrader.plain_text import printable
from algotrader.session.trigger import NEW_YORK
from algotrader.soundness import parse_float

PageT = TypeVar("PageT", wire.BarsPage, wire.CorporateActionsPage)

BARS_PAGE = 10_000
ACTIONS_PAGE = 1000
#: The longest address of a request. Longer ones get 414.
LONGEST_URL_BYTES = 6_000
#: What an address has besides its symbols: host, path, the other parameters, and a page token.
_BESIDE_SYMBOLS_BYTES = 1_000
#: Alpaca filters the list by processing date: some days around the ex-date, but for a dividend the
#: day of payment, which may be months later.
ACTIONS_MARGIN, PAYMENT_MARGIN = timedelta(days=10), timedelta(days=120)
_ACTIONS_VERSIONS = ("v1", "v1beta1")
_NOT_OFFERED = frozenset({403, 404})
_LEAST_FIGURE, _LARGEST_FIGURE = 1e-15, 1e15  # of a bar


class MarketData:
    """The methods of `algotrader.broker.Broker` about the market."""

    def __init__(self, client: AlpacaClient) -> None:
        self._data = client

    def bars(
        self, symbols: Iterable[str], sessions: Sequence[Session], feed: str, adjustment: str
    ) -> dict[str, Bars]:
        """Read daily bars, page by page."""
        open_of = _opens(sessions)
        found: dict[str, _Columns] = defaultdict(_Columns)
        for batch in batches(symbols):
            parameters: dict[str, str | int] = {
                "symbols": ",".join(batch),
                "timeframe": "1Day",
                "start": f"{sessions[0].date}T00:00:00Z",
                "end": f"{sessions[-1].date}T23:59:59Z",
                "limit": BARS_PAGE,
                "adjustment": adjustment,
                "feed": feed,
            }
            asked = set(batch)
            for page in self._pages("/stocks/bars", parameters, _bars_page):
                for symbol, rows in (page.bars or {}).items():
                    if symbol in asked:
                        found[symbol].extend(rows or (), open_of)
        return {symbol: found[symbol].to_model() for symbol in sorted(found) if found[symbol].at}

    def latest_prices(self, symbols: Iterable[str], feed: str) -> dict[str, LatestPrice]:
        """Read the last trade of each symbol; a symbol without a priced trade is absent."""
        prices: dict[str, LatestPrice] = {}
        for batch in batches(symbols):
            reply = self._data.read_data(
                "/stocks/trades/latest", {"symbols": ",".join(batch), "feed": feed}
            )
            trades = decode_reply(require_ok(reply), wire.LatestTrades).trades or {}
            for symbol, trade in trades.items():
                if symbol in batch and trade is not None and trade.p > 0:
                    prices[symbol] = LatestPrice(trade.p, trade.t.astimezone(UTC))
        return prices

    def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> tuple[CorporateAction, ...] | None:
        """Read corporate actions; ``kind`` is Alpaca's word in the singular.

        Return None if the server offers no version of the list.
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
            "end": (end + PAYMENT_MARGIN).isoformat(),
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
            page = read(require_ok(reply))
            yield page
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise invalid(reply.request, "a page token repeats")
            seen.add(token)
            asked["page_token"] = token


class _NotOfferedError(Exception):
    """The server does not offer this list."""


def batches(symbols: Iterable[str]) -> list[list[str]]:
    """Split symbols into the fewest sorted lists that each fit the address of a request."""
    found: list[list[str]] = []
    left = 0
    for name in sorted(set(symbols)):
        size = len(quote(name, safe="")) + len("%2C")
        if size > left:
            found.append([])
            left = LONGEST_URL_BYTES - _BESIDE_SYMBOLS_BYTES
        found[-1].append(name)
        left -= size
    return found


def _opens(sessions: Iterable[Session]) -> Callable[[datetime], datetime | None]:
    """Return a function that maps a bar's timestamp to the open of its session, or to None."""
    open_by_day = {each.date: each.open for each in sessions}

    @cache  # a thousand symbols have the same timestamps
    def open_of(stamp: datetime) -> datetime | None:
        try:
            return open_by_day.get(stamp.astimezone(NEW_YORK).date())
        except OverflowError:
            return None

    return open_of


class _Columns:
    """The bars of one symbol, collected page by page."""

    def __init__(self) -> None:
        self.at: list[datetime] = []
        self.figures: tuple[list[float], ...] = ([], [], [], [], [])

    def extend(
        self, rows: Iterable[wire.Bar], open_of: Callable[[datetime], datetime | None]
    ) -> None:
        """Add the rows of a page, except those outside the requested sessions."""
        opens, highs, lows, closes, volumes = self.figures
        for row in rows:
            at = open_of(row.t)
            if at is not None:
                self.at.append(at)
                opens.append(_figure(row.o))
                highs.append(_figure(row.h))
                lows.append(_figure(row.l))
                closes.append(_figure(row.c))
                volumes.append(_figure(row.v))

    def to_model(self) -> Bars:
        """Convert to `model.Bars`; of two bars for the same instant, keep the broker's last."""
        place = {at: n for n, at in enumerate(self.at)}
        order = sorted(place)
        rows = [place[at] for at in order]
        columns = (tuple(column[n] for n in rows) for column in self.figures)
        return Bars("1Day", tuple(order), *columns)


def _figure(value: object) -> float:
    if type(value) is float and _LEAST_FIGURE <= value <= _LARGEST_FIGURE:
        return value  # nearly every figure
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        number = parse_float(value) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError):
        return math.nan
    is_possible = number == 0 or _LEAST_FIGURE <= abs(number) <= _LARGEST_FIGURE
    return number if is_possible else math.nan


def _bars_page(reply: Reply) -> wire.BarsPage:
    """Parse a page of bars, even with the NaN that Python's JSON writes.

    A later check then reports a bar without a number by its symbol, not as a broken page.
    """
    try:
        return decode_reply(reply, wire.BarsPage)
    except BrokerUnavailableError as error:
        if error.code != "BROKER_ANSWER_NOT_JSON":
            raise
        try:
            return msgspec.convert(json.loads(reply.body, parse_float=parse_float), wire.BarsPage)
        except msgspec.ValidationError as misfit:
            raise invalid(reply.request, str(misfit)) from misfit
        except (ValueError, RecursionError):
            raise error from None


def _actions_page(reply: Reply) -> wire.CorporateActionsPage:
    return decode_reply(reply, wire.CorporateActionsPage)


def _actions(kind: str, row: wire.CorporateAction, batch: list[str]) -> Iterator[CorporateAction]:
    for symbol in row.symbols & set(batch):
        action = row.to_model(kind, symbol)
        if action is not None:
            yield action
