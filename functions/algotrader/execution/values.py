"""Owns what a call of Submit Orders learns, does, and leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from algotrader.model import (
    Account,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderRejected,
    Plan,
    Submission,
    TradingState,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a call learned before it acts.

    Attributes
    ----------
    orders : dict of str to Order
        By client order id: those of the plan's orders and cancels that the broker shows.
    beyond_plan : dict of str to Order
        By client order id: orders of the decision that the broker lists and the plan does not hold.
        Another call sent them, which knew of no reason to give them up, or is further on.
    account_age : timedelta
        How long before ``now`` the account was asked for.
    """

    now: datetime
    trading_state: TradingState
    trading_state_reason: str
    account: Account
    orders: dict[str, Order]
    beyond_plan: dict[str, Order] = field(default_factory=dict)
    account_age: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class PostResult:
    """What came of the call's posts.

    Attributes
    ----------
    accepted : tuple of Order
        Orders that the broker took, as it answered.
    rejected : tuple of OrderRejected
        Definite refusals.
    shortages : dict of str to Decimal
        By client order id: shares available of a sell that was not posted since it wants more.
    """

    accepted: tuple[Order, ...]
    rejected: tuple[OrderRejected, ...]
    shortages: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a call leaves the run."""

    plan: Plan
    submission: Submission
    complete: bool
    wait_seconds: int


def was_given_up(intent: OrderIntent, plan: Plan) -> bool:
    """Whether a plan names an order as denied or rejected.

    A denial tells symbol and side of a trade; a stop that sells the same shares is another order.
    """
    if any(each.client_order_id == intent.client_order_id for each in plan.rejected):
        return True
    denied = {(each.symbol, each.side) for each in plan.denied}
    return intent.leg is not Leg.STOP and (intent.symbol, intent.side) in denied


def deny(intent: OrderIntent, code: str, detail: str) -> OrderDenied:
    """Refuse an order that was approved before."""
    return OrderDenied(
        symbol=intent.symbol, side=intent.side, qty=intent.qty, code=code, detail=detail
    )
