"""Owns the checks on prices: an order's price must be known, fresh and plausible."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from algotrader.model import LatestPrice
from algotrader.model.units import Fraction, Price, format_dollars, tidy
from algotrader.orders.pricing import usable_price
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason

# The run reads prices after the clock, so a price may be this far ahead of the clock.
FUTURE_TOLERANCE = timedelta(seconds=60)


def price_known(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an order without a latest price above 0."""
    del context
    return no_price(order.price)


def no_price(latest: LatestPrice | None) -> Denial | None:
    """Return a denial unless the latest price is a number above 0."""
    if usable_price(latest) is not None:
        return None
    return Denial(Reason.NO_PRICE, f"latest price: {'none' if latest is None else latest.price}")


def price_fresh(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry whose latest price is old, or from the future.

    After the close a dry run accepts prices that were fresh at the close.
    """
    if order.price is None:
        return None
    at, snapshot = context.now, context.snapshot
    if not context.run.sends_orders:
        at = min(at, max(snapshot.session.close, order.price.at))
    return price_stale(order.price, at=at, max_age_seconds=context.settings.max_price_age_seconds)


def price_stale(latest: LatestPrice, *, at: datetime, max_age_seconds: int) -> Denial | None:
    """Return a denial if the latest price is too old, or from the future."""
    age = at - latest.at
    if -FUTURE_TOLERANCE <= age <= timedelta(seconds=max_age_seconds):
        return None
    return Denial(
        Reason.PRICE_STALE,
        f"price {format_dollars(latest.price)} of {latest.at.isoformat()} is"
        f" {age.total_seconds():.0f} s old, limit {max_age_seconds} s",
    )


def price_near_close(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry whose latest price is far from the last close, as after an error or news."""
    price = usable_price(order.price)
    if price is None:
        return None
    close = context.snapshot.last_closes.get(order.symbol)
    return price_deviation(
        price=price, last_close=close, allowed=context.settings.max_price_deviation
    )


def price_deviation(
    *, price: Price, last_close: Decimal | None, allowed: Fraction
) -> Denial | None:
    """Return a denial if the price is far from the last close.

    Parameters
    ----------
    last_close : Decimal or None
        The adjusted close. The price is denied unless the close is a number above 0.
    allowed : Fraction
        The largest deviation up or down, as a fraction of the last close.
    """
    if last_close is None or not last_close.is_finite() or last_close <= 0:
        shown = "none" if last_close is None else last_close
        return Denial(Reason.PRICE_DEVIATION, f"price {format_dollars(price)}, last close: {shown}")
    if abs(price - last_close) <= allowed * last_close:
        return None
    percent = (price / last_close - 1) * 100
    return Denial(
        Reason.PRICE_DEVIATION,
        f"price {format_dollars(price)} is {percent:+.2f} % off the last close"
        f" {format_dollars(last_close)}, limit {tidy(allowed * 100):f} %",
    )


def stop_below_price(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry whose protective stop would sell immediately."""
    del context
    price = usable_price(order.price)
    if order.stop is None or price is None:
        return None
    return stop_above_price(stop=order.stop, price=price)


def stop_above_price(*, stop: Price, price: Price) -> Denial | None:
    """Return a denial if the protective stop is not below the latest price."""
    if stop < price:
        return None
    return Denial(
        Reason.STOP_ABOVE_PRICE,
        f"stop {format_dollars(stop)} is not below the price {format_dollars(price)}",
    )
