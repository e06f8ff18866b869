"""Owns which prices are believed when the desk's profit and loss is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from algotrader.accounting.performance import carried_price, split_ratio
from algotrader.model import CorporateAction, LatestPrice, Ledger, Track
from algotrader.model.units import dollars
from algotrader.orders.pricing import usable
from algotrader.risk import pre_trade as limits


@dataclass(frozen=True, slots=True)
class Prices:
    """What the market data says of what the desk holds, and how far it is to be trusted.

    Attributes
    ----------
    latest : mapping of str to LatestPrice
    closes : mapping of str to Decimal
        Prices of a share at the previous close, as it was then.
    actions : tuple of CorporateAction
        Those with an ex-date since.
    is_open : bool
        Whether the session is under way: only then a price gets old.
    max_deviation : Decimal
        How far from the close a price may be, as a fraction of it.
    """

    latest: Mapping[str, LatestPrice]
    closes: Mapping[str, Decimal]
    actions: tuple[CorporateAction, ...]
    session: date
    previous_close: datetime
    now: datetime
    is_open: bool
    max_deviation: Decimal
    max_age_seconds: int


@dataclass(frozen=True, slots=True)
class Valuation:
    """What the desk's shares are taken to be worth each; a symbol that nothing tells of is absent.

    Attributes
    ----------
    book_prices : dict of str to Decimal
        What index and peak go by.
    risk_prices : dict of str to Decimal
        What the limits on losses and the texts go by in this run alone: never above
        ``book_prices``.
    doubts : tuple of str
        Each price that is not believed, and what stands in for it.
    """

    book_prices: dict[str, Decimal]
    risk_prices: dict[str, Decimal]
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Price:
    book: Decimal | None
    risk: Decimal | None
    doubt: str = ""


def value_shares(prices: Prices, track: Track | None, ledger: Ledger) -> Valuation:
    """Choose what the desk's shares are worth now.

    A price that is old, or further from the previous close than a real one rarely is, is not
    believed: the last look's of this session stands in for it, else the close. One wrong print
    would raise the peak for ever. A fresh one that is far below still brakes, since it may be a
    crash: it counts in this run, and is kept once a close confirms it.
    """
    found = {each: _price(prices, track, ledger, each) for each in sorted(ledger.holdings)}
    return Valuation(
        book_prices={s: each.book for s, each in found.items() if each.book is not None},
        risk_prices={s: each.risk for s, each in found.items() if each.risk is not None},
        doubts=tuple(each.doubt for each in found.values() if each.doubt),
    )


def _price(prices: Prices, track: Track | None, ledger: Ledger, symbol: str) -> _Price:
    anchor = _anchor(prices, track, ledger, symbol)
    fallback = anchor
    if track is not None and track.day.session == prices.session:
        fallback = carried_price(track, prices.session, prices.actions, symbol) or anchor
    latest = prices.latest.get(symbol)
    price = usable(latest)
    if latest is None or price is None or anchor is None or fallback is None:
        known = price if anchor is None else fallback
        return _Price(known, known)
    if latest.at < prices.previous_close or price == fallback:
        return _Price(fallback, fallback)
    old = limits.price_fresh(latest, prices.now, prices.max_age_seconds) if prices.is_open else None
    far = limits.price_near_close(price, anchor, prices.max_deviation)
    refusal = old or far
    if refusal is None:
        return _Price(price, price)
    doubt = (
        f"{symbol}: {refusal.code}: {refusal.detail}. In profit and loss it counts at "
        f"{dollars(fallback)}"
    )
    if old is not None or price > fallback:
        return _Price(fallback, fallback, f"{doubt}.")
    return _Price(
        fallback, price, f"{doubt}, but the limits on losses and this text go by the lower price."
    )


def _anchor(prices: Prices, track: Track | None, ledger: Ledger, symbol: str) -> Decimal | None:
    """Return what a latest price is held against; None if nothing vouches for any."""
    close = prices.closes.get(symbol)
    if close is not None:
        return close / split_ratio(prices.actions, symbol)
    carried = carried_price(track, prices.session, prices.actions, symbol)
    if carried is not None or track is None:
        return carried
    held, last = ledger.holdings[symbol], track.standings.get(symbol)
    is_new = last is None or last.qty <= 0
    # What was bought since the last look has cost what it was worth a while ago.
    return held.cost / held.qty if is_new and held.qty > 0 and held.cost > 0 else None
