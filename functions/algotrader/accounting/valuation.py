"""Owns the valuation: the prices that count in the desk's profit and loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from algotrader.accounting.ex_dates import split_ratio, value_that_left
from algotrader.accounting.performance import carried_price
from algotrader.model import Conversion, CorporateAction, LatestPrice, Ledger, Receivable, Track
from algotrader.model.units import ZERO, Fraction, Price, format_dollars
from algotrader.orders.pricing import usable_price
from algotrader.risk.prices import price_deviation, price_stale
from algotrader.session.trigger import NEW_YORK


class Prices(Struct, frozen=True):
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


class Valuation(Struct, frozen=True):
    """Prices per share for the desk's holdings; a symbol without any price is absent.

    Attributes
    ----------
    book_prices : dict of str to Decimal
        Prices for index and peak.
    risk_prices : dict of str to Decimal
        Prices for this run's loss limits and messages; never above ``book_prices``.
    doubts : tuple of str
        A sentence for each price that was not accepted, with the price used instead.
    left : dict of str to Decimal
        Dollars that left each symbol's price since the previous close, per share after splits.
    """

    book_prices: dict[str, Decimal]
    risk_prices: dict[str, Decimal]
    doubts: tuple[str, ...]
    left: dict[str, Decimal] = field(default_factory=dict)


class _Price(Struct, frozen=True):
    book: Decimal | None
    risk: Decimal | None
    doubt: str = ""


def convert_prices(prices: Prices, conversions: Mapping[str, Conversion]) -> Prices:
    """Price shares that a merger or a new name replaced, at the value of what they became."""
    latest, closes = dict(prices.latest), dict(prices.closes)
    for symbol, became in conversions.items():
        latest.pop(symbol, None)  # the symbol may be another company's by now
        parts = [prices.latest[new] for new in became.shares if new in prices.latest]
        values = {new: usable_price(prices.latest.get(new)) for new in became.shares}
        price = _worth(became, values)
        if price is not None:
            at = min((each.at for each in parts), default=prices.now)
            latest[symbol] = LatestPrice(price, at)
        if became.ex_date <= prices.previous_close.astimezone(NEW_YORK).date():
            close = _worth(became, {new: prices.closes.get(new) for new in became.shares})
            closes.pop(symbol, None)
            if close is not None:
                closes[symbol] = close
    return replace(prices, latest=latest, closes=closes)


def _worth(became: Conversion, prices: Mapping[str, Decimal | None]) -> Decimal | None:
    """Value what one old share became, or return None if a price is missing."""
    worth = became.cash
    for new, rate in became.shares.items():
        price = prices[new]
        if price is None:
            return None
        worth += rate * price
    return worth


def value_shares(
    prices: Prices,
    track: Track | None,
    ledger: Ledger,
    receivables: Iterable[Receivable] = (),
) -> Valuation:
    """Choose the prices of the desk's shares, and of the shares that are due to it.

    The valuation rejects a price that is too old or too far from the previous close, because one
    bad print would raise the peak forever. Instead it uses the price of this session's last
    observation, or the close. A fresh price far below the close may be a crash, so this run's loss
    limits still use it. The books accept that price after a close confirms it.

    On an ex-date, the valuation subtracts from the close the value that left it.
    """
    found = {
        each.new: _price_of_new(prices, each)
        for each in receivables
        if each.new_qty and each.new not in ledger.holdings
    }
    known = {symbol: each.book for symbol, each in found.items() if each.book is not None}
    known |= _accepted(prices, ledger)
    left = value_that_left(prices.actions, known)
    for symbol in sorted(ledger.holdings):
        found[symbol] = _price(prices, track, ledger, symbol, left)
    return Valuation(
        book_prices={s: each.book for s, each in found.items() if each.book is not None},
        risk_prices={s: each.risk for s, each in found.items() if each.risk is not None},
        doubts=tuple(each.doubt for each in found.values() if each.doubt),
        left=left,
    )


def _accepted(prices: Prices, ledger: Ledger) -> dict[str, Decimal]:
    """Return the holdings' prices since the close; a spin-off may pay out shares of a holding."""
    return {
        symbol: price
        for symbol in ledger.holdings
        if (latest := prices.latest.get(symbol)) is not None
        and (price := usable_price(latest)) is not None
        and latest.at >= prices.previous_close
    }


def _price_of_new(prices: Prices, owed: Receivable) -> _Price:
    """Return the price of shares that are due to the desk, which may trade for the first time."""
    anchor = prices.closes.get(owed.new, owed.price)
    latest = prices.latest.get(owed.new)
    price = usable_price(latest)
    if latest is None or price is None or latest.at < prices.previous_close:
        return _Price(anchor, anchor)
    if anchor is None:
        old = price_stale(latest, at=prices.now, max_age_seconds=prices.max_age_seconds)
        is_too_much = owed.before is not None and owed.rate * price >= owed.before
        is_unsure = is_too_much or (prices.is_open and old is not None)
        return _Price(None, None) if is_unsure else _Price(price, price)
    return _judge(prices, owed.new, price, anchor=anchor, fallback=anchor)


def _price(
    prices: Prices,
    track: Track | None,
    ledger: Ledger,
    symbol: str,
    left: Mapping[str, Decimal],
) -> _Price:
    anchor = _anchor(prices, track, ledger, symbol, left)
    fallback = anchor
    if track is not None and track.day.session == prices.session:
        fallback = carried_price(track, prices.session, prices.actions, symbol, left) or anchor
    latest = prices.latest.get(symbol)
    price = usable_price(latest)
    if latest is None or price is None or anchor is None or fallback is None:
        known = price if anchor is None else fallback
        return _Price(known, known)
    if latest.at < prices.previous_close:
        return _Price(fallback, fallback)
    return _judge(prices, symbol, price, anchor=anchor, fallback=fallback)


def _judge(
    prices: Prices, symbol: str, price: Price, *, anchor: Decimal, fallback: Decimal
) -> _Price:
    """Accept the latest price, which is newer than the close, or fall back to another one."""
    if price == fallback:
        return _Price(fallback, fallback)
    old = None
    if prices.is_open:
        old = price_stale(
            prices.latest[symbol], at=prices.now, max_age_seconds=prices.max_age_seconds
        )
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


def _anchor(
    prices: Prices,
    track: Track | None,
    ledger: Ledger,
    symbol: str,
    left: Mapping[str, Decimal],
) -> Decimal | None:
    """Return the price with which to compare a latest price, or None if unknown."""
    held, last = ledger.holdings[symbol], None if track is None else track.standings.get(symbol)
    is_new = track is not None and (last is None or last.qty <= 0)
    # The desk bought these shares since the last observation, so their cost is a recent price.
    cost = held.cost / held.qty if is_new and held.qty > 0 and held.cost > 0 else None
    close = prices.closes.get(symbol)
    if cost is not None and any(
        each.symbol == symbol and each.is_distribution and each.shares for each in prices.actions
    ):
        return cost  # what left the close is unknown unless the desk is owed the new shares
    if close is not None:
        close = close / split_ratio(prices.actions, symbol) - left.get(symbol, ZERO)
        return close if close > 0 else None
    return carried_price(track, prices.session, prices.actions, symbol, left) or cost
