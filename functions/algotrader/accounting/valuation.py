"""Owns the valuation: the prices that count in the desk's profit and loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from algotrader.accounting.performance import carried_price, split_ratio
from algotrader.model import CorporateAction, LatestPrice, Ledger, Track
from algotrader.model.units import Fraction, format_dollars
from algotrader.orders.pricing import usable_price
from algotrader.risk.prices import price_deviation, price_stale


@dataclass(frozen=True, slots=True)
class Prices:
    """Market data for the desk's holdings, and the limits on acceptable prices.

    Attributes
    ----------
    latest : mapping of str to LatestPrice
    closes : mapping of str to Decimal
        Prices per share at the previous close, not adjusted for later splits.
    actions : tuple of CorporateAction
        Actions with an ex-date since the previous close.
    is_open : bool
        Whether the session is under way; only then can a price be too old.
    max_deviation : Fraction
        Largest accepted distance of a price from the close, as a fraction of the close.
    """

    latest: Mapping[str, LatestPrice]
    closes: Mapping[str, Decimal]
    actions: tuple[CorporateAction, ...]
    session: date
    previous_close: datetime
    now: datetime
    is_open: bool
    max_deviation: Fraction
    max_age_seconds: int


@dataclass(frozen=True, slots=True)
class Valuation:
    """Prices per share for the desk's holdings; a symbol without any price is absent.

    Attributes
    ----------
    book_prices : dict of str to Decimal
        Prices for index and peak.
    risk_prices : dict of str to Decimal
        Prices for this run's loss limits and messages; never above ``book_prices``.
    doubts : tuple of str
        A sentence for each price that was not accepted, with the price used instead.
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
    """Choose the prices of the desk's shares.

    The valuation rejects a price that is too old or too far from the previous close, because one
    bad print would raise the peak forever. Instead it uses the price of this session's last
    observation, or the close. A fresh price far below the close may be a crash, so this run's loss
    limits still use it. The books accept that price after a close confirms it.
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
    price = usable_price(latest)
    if latest is None or price is None or anchor is None or fallback is None:
        known = price if anchor is None else fallback
        return _Price(known, known)
    if latest.at < prices.previous_close or price == fallback:
        return _Price(fallback, fallback)
    old = None
    if prices.is_open:
        old = price_stale(latest, at=prices.now, max_age_seconds=prices.max_age_seconds)
    far = price_deviation(price=price, last_close=anchor, allowed=prices.max_deviation)
    denial = old or far
    if denial is None:
        return _Price(price, price)
    doubt = f"{symbol}: {denial}. Profit and loss count it at {format_dollars(fallback)}"
    if old is not None or price > fallback:
        return _Price(fallback, fallback, f"{doubt}.")
    return _Price(
        fallback, price, f"{doubt}, but the loss limits and this message use the lower price."
    )


def _anchor(prices: Prices, track: Track | None, ledger: Ledger, symbol: str) -> Decimal | None:
    """Return the price with which to compare a latest price; None if unknown."""
    close = prices.closes.get(symbol)
    if close is not None:
        return close / split_ratio(prices.actions, symbol)
    carried = carried_price(track, prices.session, prices.actions, symbol)
    if carried is not None or track is None:
        return carried
    held, last = ledger.holdings[symbol], track.standings.get(symbol)
    is_new = last is None or last.qty <= 0
    # The desk bought these shares since the last observation, so their cost is a recent price.
    return held.cost / held.qty if is_new and held.qty > 0 and held.cost > 0 else None
