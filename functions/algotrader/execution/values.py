"""Owns the values of one Submit Orders call: its input, its posts and its result."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct, field

from algotrader.model import (
    Account,
    Cutoff,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderRejected,
    Plan,
    Submission,
    TradingState,
)
from algotrader.orders.own_orders import symbol_of
from algotrader.orders.statuses import is_terminal
from algotrader.risk.reasons import Reason


class Known(Struct, frozen=True):
    """The data that a call reads before it acts.

    Attributes
    ----------
    orders : dict of str to Order
        By client order id: the plan's orders and cancels that the broker shows.
    beyond_plan : dict of str to Order
        By client order id: the decision's orders that the broker lists but the plan lacks. Another
        call, which did not give them up or has a later plan, sent them.
    account_age : timedelta
        How long before ``now`` the call read the account.
    """

    now: datetime
    trading_state: TradingState
    trading_state_reason: str
    account: Account
    orders: dict[str, Order]
    beyond_plan: dict[str, Order] = field(default_factory=dict)
    account_age: timedelta = timedelta(0)


class PostResult(Struct, frozen=True):
    """The results of a call's posts.

    Attributes
    ----------
    accepted : tuple of Order
        Orders that the broker accepted, as it returned them.
    rejected : tuple of OrderRejected
        Orders that the broker definitely rejected.
    shortages : dict of str to Decimal
        By client order id: the available shares for a sell that needs more, so that the call did
        not post it.
    unsent : tuple of str
        Client order ids of the orders that the call had the lease to send but certainly did not
        send: the broker answered 429, or the call did not get to them.
    wait_seconds : int
        How long the broker's rate limit keeps the next call from sending; 0 if it does not.
    """

    accepted: tuple[Order, ...]
    rejected: tuple[OrderRejected, ...]
    shortages: dict[str, Decimal]
    unsent: tuple[str, ...] = ()
    wait_seconds: int = 0


NOTHING_POSTED = PostResult(accepted=(), rejected=(), shortages={})


class Step(Struct, frozen=True):
    """The state of the run after a call.

    Attributes
    ----------
    submission : Submission or None
        None if the call could read nothing, so that the last call's submission still counts.
    """

    plan: Plan
    submission: Submission | None
    complete: bool
    wait_seconds: int


def was_given_up(intent: OrderIntent, plan: Plan) -> bool:
    """Whether a plan names an order as denied or rejected.

    A denial names only a trade's symbol and side, so it never matches a stop.
    """
    if any(each.client_order_id == intent.client_order_id for each in plan.rejected):
        return True
    denied = {(each.symbol, each.side) for each in plan.denied}
    return intent.leg is not Leg.STOP and (intent.symbol, intent.side) in denied


def deny(intent: OrderIntent, code: str, detail: str) -> OrderDenied:
    """Build the denial of an order that the decision approved."""
    return OrderDenied(
        symbol=intent.symbol, side=intent.side, qty=intent.qty, code=code, detail=detail
    )


def orders_to_come(intents: Iterable[OrderIntent], plan: Plan) -> tuple[OrderIntent, ...]:
    """Return the exits or entries that no plan of this run has contained or given up yet."""
    planned = {each.client_order_id for each in plan.orders}
    return tuple(
        each
        for each in intents
        if each.client_order_id not in planned and not was_given_up(each, plan)
    )


def deny_at_cutoff(
    intent: OrderIntent, cutoff: Cutoff, plan: Plan, orders: dict[str, Order]
) -> OrderDenied:
    """Build the denial of an order that was still waiting at the cutoff of its leg."""
    waited_for = "".join(
        f"; {each} is {orders[each].status if each in orders else 'not shown'}"
        for each in uncanceled(intent.symbol, plan, orders)
    )
    return deny(intent, cutoff.code, cutoff.detail + waited_for)


def uncanceled(symbol: str, plan: Plan, orders: dict[str, Order]) -> tuple[str, ...]:
    """Return the ids of the plan's cancels in a symbol that have not ended.

    A cancel whose id names no symbol counts for every symbol.
    """
    return tuple(
        each
        for each in plan.cancels
        if symbol_of(each) in {symbol, ""}
        and ((order := orders.get(each)) is None or not is_terminal(order))
    )


def deny_stop_filled(intent: OrderIntent, sold: Decimal) -> OrderDenied:
    """Build the denial of an order in a symbol whose stop filled before its cancel."""
    detail = f"its stop sold {sold} shares while being canceled"
    return deny(intent, Reason.STOP_FILLED, detail)
