"""Owns the market data API: daily bars, latest prices, corporate actions."""

from __future__ import annotations

import json
import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
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
#: Room in an address for everything except its symbols: host, path, other parameters, page token.
_BESIDE_SYMBOLS_BYTES = 1_000
#: Alpaca filters the list by processing date, usually within days of the ex-date. For a dividend
#: it is the payment date, which may be months later.
ACTIONS_MARGIN, PAYMENT_MARGIN = timedelta(days=10), timedelta(days=120)
_ACTIONS_VERSIONS = ("v1", "v1beta1")
_NOT_OFFERED = frozenset({403, 404})
_BARS_REQUEST = "GET /v2/stocks/bars"
_LEAST_FIGURE, _LARGEST_FIGURE = 1e-15, 1e15  # of a bar


class MarketData:
    """The methods of `algotrader.broker.Broker` about the market."""

    def __init__(self, client: AlpacaClient) -> None:
        self._data = client

    def bars(
        self, symbols: Iterable[str], sessions: Sequence[Session], feed: str, adjustment: str
    ) -> dict[str, Bars]:
        """Read daily bars, page by page."""
        opens = _Opens(sessions)
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
                    if symbol in asked and rows:
                        found[symbol].extend(rows, opens)
        known: dict[tuple[datetime, ...], tuple[datetime, ...]] = {}
        return {
            symbol: found[symbol].to_model(known) for symbol in sorted(found) if found[symbol].at
        }

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


class _Opens(dict[str, "datetime | None"]):
    """The open of a bar's session, by the bar's timestamp; None if that day is not requested.

    A thousand symbols have the same timestamps, so each is parsed once.
    """

    def __init__(self, sessions: Iterable[Session]) -> None:
        super().__init__()
        self._open_by_day = {each.date: each.open for each in sessions}

    def __missing__(self, stamp: str) -> datetime | None:
        try:
            instant = msgspec.convert(stamp, wire.Instant)
            self[stamp] = self._open_by_day.get(instant.astimezone(NEW_YORK).date())
        except msgspec.ValidationError as error:
            raise invalid(_BARS_REQUEST, f"{error} - at `t` of a bar") from error
        except OverflowError:
            self[stamp] = None
        return self[stamp]


class _Columns:
    """The bars of one symbol, collected page by page."""

    def __init__(self) -> None:
        self.at: list[datetime] = []
        self.figures = tuple(array("d") for _ in "ohlcv")

    def extend(self, rows: Sequence[wire.Bar], opens: _Opens) -> None:
        """Add the rows of a page, except those outside the requested sessions."""
        dated = [(row, at) for row in rows if (at := opens[row.t]) is not None]
        self.at += [at for _, at in dated]
        opened, high, low, close, volume = self.figures
        opened.extend([row.o for row, _ in dated])
        high.extend([row.h for row, _ in dated])
        low.extend([row.l for row, _ in dated])
        close.extend([row.c for row, _ in dated])
        volume.extend([row.v for row, _ in dated])

    def to_model(self, known: dict[tuple[datetime, ...], tuple[datetime, ...]]) -> Bars:
        """Convert to `model.Bars`; of two bars for the same instant, keep the broker's last.

        Parameters
        ----------
        known : dict
            Instants of other symbols' bars; most symbols have bars at the same instants.
        """
        at, figures = tuple(self.at), self.figures
        if at not in known and any(later <= earlier for earlier, later in pairwise(at)):
            place = {instant: row for row, instant in enumerate(at)}
            at = tuple(sorted(place))
            figures = tuple(array("d", [each[place[it]] for it in at]) for each in figures)
        return Bars("1Day", known.setdefault(at, at), *map(_possible, figures))


def _possible(figures: array[float]) -> array[float]:
    """Replace impossible figures with NaN."""
    if min(figures) >= _LEAST_FIGURE and max(figures) <= _LARGEST_FIGURE:
        return figures  # nearly every column
    return array("d", map(_figure, figures))


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
    """Parse a page of bars, even if a figure is missing, is not a number, or is Python's NaN.

    A later check then reports the symbol of such a bar, instead of a broken page.
    """
    try:
        return decode_reply(reply, wire.BarsPage)
    except BrokerUnavailableError as error:
        return _loose_bars_page(reply, error)


def _loose_bars_page(reply: Reply, problem: BrokerUnavailableError) -> wire.BarsPage:
    try:
        value = json.loads(reply.body, parse_float=parse_float)
        page = msgspec.convert(value, wire.LooseBarsPage)
    except msgspec.ValidationError as misfit:
        raise invalid(reply.request, str(misfit)) from misfit
    except (ValueError, RecursionError):
        raise problem from None
    bars: dict[str, list[wire.Bar] | None] = {
        symbol: [
            wire.Bar(row.t, *map(_figure, (row.o, row.h, row.l, row.c, row.v)))
            for row in rows or ()
        ]
        for symbol, rows in (page.bars or {}).items()
    }
    return wire.BarsPage(bars=bars, next_page_token=page.next_page_token)


def _actions_page(reply: Reply) -> wire.CorporateActionsPage:
    return decode_reply(reply, wire.CorporateActionsPage)


def _actions(kind: str, row: wire.CorporateAction, batch: list[str]) -> Iterator[CorporateAction]:
    for symbol in row.symbols & set(batch):
        action = row.to_model(kind, symbol)
        if action is not None:
            yield action
