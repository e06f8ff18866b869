"""Owns the ramp: a live desk buys little in a strategy's first days, so a mistake costs little.

Every new strategy of a desk begins with the ramp.
"""

from __future__ import annotations

from datetime import date, timedelta

from algotrader.model import Side
from algotrader.model.units import NO_DOLLARS, Dollars
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason


def live_ramp(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry that costs more, at its worst price, than the ramp leaves."""
    left, settings = ramp_left(context), context.settings
    if left is None or order.money <= left:
        return None
    first_buy = _first_buy(context)
    first = "none yet" if first_buy is None else f"on {first_buy.isoformat()}"
    return Denial(
        Reason.LIVE_RAMP,
        f"cost {order.money:.2f}, left {left:.2f} of {settings.live_ramp_notional:.2f} a run"
        f" in the first {settings.live_ramp_days} days of {settings.strategy};"
        f" its first filled buy: {first}",
    )


def ramp_left(context: RiskContext) -> Dollars | None:
    """Return the money that the ramp leaves for the next entry, or None if no ramp limits the run.

    The ramp limits live buys for some days after the strategy's first buy. A strategy without a
    filled buy, or with an unknown start, is on its first day.
    """
    settings, first_buy = context.settings, _first_buy(context)
    is_over = first_buy is not None and context.run.session >= first_buy + timedelta(
        days=settings.live_ramp_days
    )
    if is_over or not settings.is_ramped:
        return None
    spent = sum((each.money for each in context.traded if each.side is Side.BUY), NO_DOLLARS)
    return Dollars(settings.live_ramp_notional - spent)


def _first_buy(context: RiskContext) -> date | None:
    started = context.snapshot.started
    return None if started is None else started.first_buy
