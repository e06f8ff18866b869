"""Owns the entries: each joins the plan by itself, once, as soon as its cash is available."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_FLOOR

from msgspec.structs import replace

from algotrader.execution.cutoff import last_allocations, latest_now
from algotrader.execution.stop_orders import is_canceled, sold_by_canceled
from algotrader.execution.values import (
    Known,
    deny,
    deny_at_cutoff,
    deny_stop_filled,
    orders_to_come,
    was_given_up,
)
from algotrader.model import Decision, Leg, Order, OrderDenied, OrderIntent, Plan, Run, Settings
from algotrader.model.units import CENT, NO_DOLLARS, ZERO, Dollars, Shares
from algotrader.orders.pricing import worst_cost
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.capital import open_buy_cost, spendable
from algotrader.portfolio.sizing import affordable
from algotrader.risk.reasons import Reason

# The account may lag behind its orders by about ten seconds. The run waits this long for the
# account to show a fill or a new order.
ACCOUNT_LAG = timedelta(seconds=15)


def add_entries(
    run: Run,
    settings: Settings,
    decision: Decision,
    plan: Plan,
    known: Known,
    orders: dict[str, Order],
) -> Plan:
    """Return the plan with the entries that are due; the others wait or are denied.

    The run promises cash to entries in the decision's order. An entry is due in full once the
    cancels in its symbol have ended and its cash is available. An entry that costs more than the
    cash left is promised all of it, so no later entry overtakes it. The run reduces an entry to its
    promise only if no exit can bring more cash, or at the last allocation before the deadline.
    """
    cutoff = plan.entries_closed
    waiting = orders_to_come(decision.entries, plan)
    cash, is_last = _cash_left(run, settings, decision, plan, known, orders)
    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    for intent in waiting:
        cost = worst_cost(intent, settings)
        if cutoff is not None:
            denied.append(deny_at_cutoff(intent, cutoff, plan, orders))
        elif not is_canceled(intent.symbol, plan, orders):
            cash = Dollars(max(cash - cost, NO_DOLLARS))
        elif sold := sold_by_canceled(intent.symbol, decision, orders):
            denied.append(deny_stop_filled(intent, sold))
        elif cost > cash and not is_last:
            cash = NO_DOLLARS
        elif bought := affordable(intent, cash=cash, settings=settings):
            kept.append(bought)
            cash = Dollars(cash - worst_cost(bought, settings))
        else:
            detail = f"cost {cost:.2f}, spendable {cash:.2f}{_unsold(decision, plan, orders)}"
            denied.append(deny(intent, Reason.INSUFFICIENT_CASH, detail))
    return replace(plan, orders=(*plan.orders, *kept), denied=(*plan.denied, *denied))


def _cash_left(
    run: Run,
    settings: Settings,
    decision: Decision,
    plan: Plan,
    known: Known,
    orders: dict[str, Order],
) -> tuple[Dollars, bool]:
    """Compute the cash left for more entries, and whether the run should stop waiting for more.

    The books and the account must both allow it. The account may not show the newest entries yet,
    so their cost is subtracted from it; while that makes a difference, the run waits.
    """
    now = latest_now(run, plan, known)
    read_at = now - known.account_age  # on a slow network, long before it read the clock
    sent = [each for each in plan.orders if each.leg is Leg.ENTRY]
    cost = {each.client_order_id: _committed(each, orders, settings) for each in sent}
    books = Dollars(_budget(decision, settings, orders) - sum(cost.values(), ZERO))

    def is_recent(at: datetime | None) -> bool:
        return at is not None and read_at < at + ACCOUNT_LAG

    unseen = {each.client_order_id for each in sent if each.client_order_id not in orders}
    shown = [orders[each] for each in cost if each not in unseen]
    recent = {
        each.client_order_id for each in shown if is_recent(each.filled_at or each.submitted_at)
    }
    exits = [orders.get(each.client_order_id) for each in decision.exits]
    is_fresh = not recent and not any(is_recent(each.filled_at) for each in exits if each)
    references = {each.symbol: each.reference_price for each in sent}
    resting = [orders[each] for each in plan.cancels if each in orders]
    resting += [each for each in shown if each.client_order_id not in recent]
    open_buys = open_buy_cost(resting, references)
    account = Dollars(
        spendable(known.account, cash_reserve=settings.cash_reserve, open_buys=open_buys)
        - sum((cost[each] for each in (*unseen, *recent)), ZERO)
    )
    wanted = sum(
        (worst_cost(each, settings) for each in orders_to_come(decision.entries, plan)), ZERO
    )
    without_exits, without_account = last_allocations(run, decision)
    # Round to cents like `spendable`: otherwise the run would wait for a fraction of a cent.
    lacks = account < min(wanted, books.quantize(CENT, ROUND_FLOOR))
    is_late = lacks and (bool(unseen) or not is_fresh) and now < without_account
    more_to_come = any(_is_pending(each, plan, orders) for each in decision.exits)
    cash = max(Dollars(min(books, account)), NO_DOLLARS)
    return cash, not is_late and (now >= without_exits or not more_to_come)


def _budget(decision: Decision, settings: Settings, orders: dict[str, Order]) -> Dollars:
    """Compute the most that entries may cost, in dollars: cash at the decision plus exit proceeds.

    If the desk's capital or exposure is capped, shares that the exits did not sell still count
    toward the cap, even if the account has more cash.
    """
    proceeds = freed = ZERO
    for intent in decision.exits:
        order = orders.get(intent.client_order_id)
        if order is not None and order.filled_avg_price is not None:
            proceeds += order.filled_qty * order.filled_avg_price
            freed += order.filled_qty * intent.reference_price
    budget = decision.spendable + proceeds * (1 - settings.cash_reserve)
    if decision.room is None:
        return Dollars(budget)
    return Dollars(min(budget, decision.room + freed))


def _committed(intent: OrderIntent, orders: dict[str, Order], settings: Settings) -> Dollars:
    """Return the most that a planned entry costs; once it has ended, only its filled part counts.

    A better price than the worst one frees no cash, so that the other entries do not depend on
    when this one fills.
    """
    order = orders.get(intent.client_order_id)
    if order is None or not is_terminal(order):
        return worst_cost(intent, settings)
    if intent.notional is not None:
        spent = order.filled_qty * (order.filled_avg_price or ZERO)
        return Dollars(min(intent.notional, spent))
    return worst_cost(replace(intent, qty=min(intent.qty, Shares(order.filled_qty))), settings)


def _is_pending(intent: OrderIntent, plan: Plan, orders: dict[str, Order]) -> bool:
    """Whether an exit may still bring cash."""
    order = orders.get(intent.client_order_id)
    return not was_given_up(intent, plan) and (order is None or not is_terminal(order))


def _unsold(decision: Decision, plan: Plan, orders: dict[str, Order]) -> str:
    """Name the exits that have brought less cash than they might."""
    shown = []
    for intent in decision.exits:
        if _is_pending(intent, plan, orders):
            order = orders.get(intent.client_order_id)
            shown.append(f"{intent.symbol} is {order.status if order else 'not shown'}")
    return f"; the sale of {', '.join(shown)}" if shown else ""
