"""Owns the limits on prices: what an order is priced by must be known, fresh and believable."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from algotrader.model import LatestPrice
from algotrader.model.units import dollars, tidy
from algotrader.orders.pricing import usable
from algotrader.risk.reasons import Denial, Reason

# A latest price is asked for a little after the clock was read; further ahead it is wrong.
FUTURE_TOLERANCE = timedelta(seconds=60)


def price_known(price: LatestPrice | None) -> Denial | None:
    """Ask for a latest price above 0: no order can be priced without."""
    if usable(price) is not None:
        return None
    told = "none" if price is None else price.price
    return Denial(Reason.NO_PRICE, f"latest price: {told}")


def price_fresh(price: LatestPrice, at: datetime, max_age_seconds: int) -> Denial | None:
    """Ask for a latest price of now: neither too old nor from the future."""
    age = at - price.at
    if -FUTURE_TOLERANCE <= age <= timedelta(seconds=max_age_seconds):
        return None
    return Denial(
        Reason.PRICE_STALE,
        f"price {dollars(price.price)} of {price.at.isoformat()} is {age.total_seconds():.0f} s"
        f" old, allowed {max_age_seconds} s",
    )


def price_near_close(
    price: Decimal, last_close: Decimal | None, max_deviation: Decimal
) -> Denial | None:
    """Ask for a latest price near the last close: far from it, one of both is wrong or news is out.

    Parameters
    ----------
    last_close : Decimal or None
        As the feed adjusted it. None, or no number above 0, is refused: nothing vouches for the
        price then.
    max_deviation : Decimal
        Fraction of the last close, up and down alike.
    """
    if last_close is None or not last_close.is_finite() or last_close <= 0:
        told = "none" if last_close is None else last_close
        return Denial(Reason.PRICE_DEVIATION, f"price {dollars(price)}, last close: {told}")
    if abs(price - last_close) <= max_deviation * last_close:
        return None
    percent = (price / last_close - 1) * 100
    return Denial(
        Reason.PRICE_DEVIATION,
        f"price {dollars(price)} is {percent:+.2f} % off the last close {dollars(last_close)},"
        f" allowed {tidy(max_deviation * 100):f} %",
    )


def stop_below_price(stop: Decimal, price: Decimal) -> Denial | None:
    """Ask that a protective stop is below the latest price: above it, it would sell at once."""
    if stop < price:
        return None
    return Denial(
        Reason.STOP_ABOVE_PRICE, f"stop {dollars(stop)} is not below the price {dollars(price)}"
    )
