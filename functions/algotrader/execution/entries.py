"""Owns the entries, which follow the exits and are reduced to the available cash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from algotrader.execution.cutoff import latest_now
from algotrader.execution.stop_orders import sold_by_canceled
from algotrader.execution.values import Known, deny, deny_stop_filled
from algotrader.model import Decision, Order, OrderDenied, OrderIntent, Plan, Run, Settings, Stage
from algotrader.model.units import CENT, Dollars
from algotrader.orders.pricing import worst_cost
from algotrader.portfolio.capital import spendable
from algotrader.portfolio.sizing import affordable
from algotrader.risk.reasons import Reason

# The account may lag behind its orders for about ten seconds. The run waits this long for the cash
# of a fill.
PROCEEDS = timedelta(seconds=15)


def add_entries(
    settings: Settings, decision: Decision, plan: Plan, known: Known, orders: dict[str, Order]
) -> Plan:
    """Add the decision's entries to the plan, each cut to the available cash or denied."""
    plan = replace(plan, stage=Stage.ENTRIES)
    cutoff = plan.entries_closed
    cash = min(
        spendable(known.account, cash_reserve=settings.cash_reserve),
        _budget(decision, settings, orders),
    )
    kept: list[OrderIntent] = []
    denied: list[OrderDenied] = []
    for intent in decision.entries:
        if cutoff is not None:
            denied.append(deny(intent, cutoff.code, cutoff.detail))
        elif sold := sold_by_canceled(intent.symbol, decision, orders):
            denied.append(deny_stop_filled(intent, sold))
        elif bought := affordable(intent, cash=cash, settings=settings):
            kept.append(bought)
            cash = Dollars(cash - worst_cost(bought, settings))
        else:
            detail = f"cost {worst_cost(intent, settings):.2f}, spendable {cash:.2f}"
            denied.append(deny(intent, Reason.INSUFFICIENT_CASH, detail))
    return replace(plan, orders=(*plan.orders, *kept), denied=(*plan.denied, *denied))


def _budget(decision: Decision, settings: Settings, orders: dict[str, Order]) -> Dollars:
    """Compute the most that entries may cost, in dollars: cash at the decision plus exit proceeds.

    If the desk's capital or exposure is capped, shares that the exits did not sell still use the
    cap. Their value then reduces the entries, even if the account has more cash.
    """
    proceeds = missing = Decimal(0)
    for intent in decision.exits:
        order = orders.get(intent.client_order_id)
        filled = order.filled_qty if order else Decimal(0)
        if order is not None and order.filled_avg_price is not None:
            proceeds += filled * order.filled_avg_price
        missing += (intent.qty - filled) * intent.reference_price
    budget = decision.spendable + proceeds * (1 - settings.cash_reserve)
    if settings.capital is None and settings.max_gross_exposure >= 1:
        return Dollars(budget)
    wanted = sum((worst_cost(intent, settings) for intent in decision.entries), Decimal(0))
    return Dollars(min(budget, wanted - missing))


def proceeds_are_late(
    run: Run,
    settings: Settings,
    decision: Decision,
    plan: Plan,
    orders: dict[str, Order],
    known: Known,
) -> bool:
    """Whether the run should wait because the account does not show the exits' proceeds yet."""
    filled = [
        order.filled_at
        for intent in decision.exits
        if (order := orders.get(intent.client_order_id)) is not None and order.filled_at
    ]
    # On a slow network the call read the account long before the clock.
    read_at = latest_now(run, plan, known) - known.account_age
    is_over = not filled or read_at >= max(filled) + PROCEEDS
    if is_over or plan.entries_closed is not None:
        return False
    wanted = sum((worst_cost(intent, settings) for intent in decision.entries), Decimal(0))
    # Round to cents like `spendable`: otherwise the run would wait for a fraction of a cent.
    expected = _budget(decision, settings, orders).quantize(CENT, ROUND_FLOOR)
    return spendable(known.account, cash_reserve=settings.cash_reserve) < min(wanted, expected)
