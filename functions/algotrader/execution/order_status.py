"""Owns the result of each planned order after a call."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from algotrader.execution.cutoff import cutoff_of, is_settle_window_over, latest_now
from algotrader.execution.posting import awaited_cancels
from algotrader.execution.values import Known, PostResult, deny
from algotrader.model import (
    Decision,
    Leg,
    Order,
    OrderDenied,
    OrderIntent,
    OrderRejected,
    Plan,
    Run,
)
from algotrader.model.units import FRACTION_STEP, ONE_SHARE, Shares
from algotrader.orders.statuses import is_terminal, may_be_refused
from algotrader.portfolio.sizing import floor_shares
from algotrader.risk.broker_rules import broken_rule
from algotrader.risk.reasons import Reason
from algotrader.session.timing import SETTLE

# Positions may lag behind orders for about ten seconds. The run accepts a shortage of shares after
# this many polls.
PATIENT_POLLS = 3


class OrderResult(Struct, frozen=True):
    """The result of one order after a call.

    Attributes
    ----------
    kept : OrderIntent or None
        The order as it is at the broker, or as the run may still send it; None if the run gave it
        up.
    is_under_way : bool
        Whether the run must check the order again.
    code, detail : str
        Why the run gave it up or reduced it; empty if it did neither.
    rejected : OrderRejected or None
        The broker's rejection.
    may_be_there : bool
        Whether the run gave up a trade that another execution's call may still be sending.
    """

    kept: OrderIntent | None
    is_under_way: bool = False
    code: str = ""
    detail: str = ""
    rejected: OrderRejected | None = None
    may_be_there: bool = False


class PlanResult(Struct):
    """The results of all planned orders.

    Attributes
    ----------
    unprotected : dict of str to str
        By symbol, why the run gave up or reduced the stop.
    trading, placing_stops : bool
        Whether a cancel or a trade is still under way, and whether the placing of a stop is.
    gave_up_unseen : bool
        Whether the run gave up a trade that another execution's call may still be sending.
    """

    trading: bool
    placing_stops: bool = False
    gave_up_unseen: bool = False
    kept: list[OrderIntent] = field(default_factory=list)
    denied: list[OrderDenied] = field(default_factory=list)
    rejected: list[OrderRejected] = field(default_factory=list)
    unprotected: dict[str, str] = field(default_factory=dict)

    def add(self, intent: OrderIntent, result: OrderResult) -> None:
        """Add the result of one order; a failed stop goes to ``unprotected``, not to ``denied``."""
        self.gave_up_unseen = self.gave_up_unseen or result.may_be_there
        if result.kept is not None:
            self.kept.append(result.kept)
        if intent.leg is Leg.STOP:
            self.placing_stops = self.placing_stops or result.is_under_way
            if result.code:
                self.unprotected[intent.symbol] = f"{result.code}: {result.detail}"
            return
        self.trading = self.trading or result.is_under_way
        if result.rejected is not None:
            self.rejected.append(result.rejected)
        elif result.kept is None:
            self.denied.append(deny(intent, result.code, result.detail))


def results_of(
    run: Run,
    decision: Decision,
    plan: Plan,
    known: Known,
    posted: PostResult,
    orders: dict[str, Order],
) -> PlanResult:
    """Return the result of every order of a plan.

    Parameters
    ----------
    orders : dict of str to Order
        By client order id: what the broker shows, and what it accepted in this call.
    """
    is_over = is_settle_window_over(run, plan.exits_closed, latest_now(run, plan, known))
    results = PlanResult(trading=bool(awaited_cancels(decision, plan, known)) and not is_over)
    for intent in plan.orders:
        results.add(intent, _result_of(run, plan, intent, known, posted, orders))
    return results


def _result_of(
    run: Run,
    plan: Plan,
    intent: OrderIntent,
    known: Known,
    posted: PostResult,
    orders: dict[str, Order],
) -> OrderResult:
    now, cutoff = latest_now(run, plan, known), cutoff_of(plan, intent)
    order_id = intent.client_order_id
    for rejected in posted.rejected:
        if rejected.client_order_id == order_id:
            return OrderResult(None, code=rejected.code, detail=rejected.detail, rejected=rejected)
    if order := orders.get(order_id):
        awaited = _is_settling(order, plan) if intent.leg is Leg.STOP else not is_terminal(order)
        return OrderResult(
            intent, is_under_way=awaited and not is_settle_window_over(run, cutoff, now)
        )
    if denial := broken_rule(intent):
        return OrderResult(None, code=denial.code, detail=denial.detail)
    if cutoff is not None and now >= cutoff.at + SETTLE:
        is_trade = intent.leg is not Leg.STOP
        return OrderResult(None, code=cutoff.code, detail=cutoff.detail, may_be_there=is_trade)
    available = posted.shortages.get(order_id)
    if available is not None and plan.polls >= PATIENT_POLLS:
        return _reduce(intent, available)
    return OrderResult(intent, is_under_way=True)


def _reduce(intent: OrderIntent, available: Decimal) -> OrderResult:
    """Reduce an order to the available shares, and keep an order for whole shares whole."""
    whole = intent.qty == intent.qty.to_integral_value()
    qty = floor_shares(qty=Shares(available), step=ONE_SHARE if whole else FRACTION_STEP)
    if qty <= 0:
        return OrderResult(
            None, code=Reason.NOTHING_TO_SELL, detail=f"{available} shares are available"
        )
    detail = f"it covers {qty} of {intent.qty}, because no more shares are available"
    code = Reason.NOTHING_TO_SELL if intent.leg is Leg.STOP else ""
    return OrderResult(replace(intent, qty=qty), is_under_way=True, code=code, detail=detail)


def _is_settling(stop: Order, plan: Plan) -> bool:
    """Whether the broker accepted a stop a moment ago and may still reject it."""
    return may_be_refused(stop) and plan.polls < PATIENT_POLLS
