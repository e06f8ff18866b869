"""Owns late orders, which the broker shows although this run gave them up.

Another execution's call may have begun with the previous plan and may still be sending its orders.
So the run waits until that call must have ended and its orders must be visible. If an order
appears, the run puts it into the plan, cancels it if its leg has ended, and reports it.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from algotrader.execution.cutoff import cutoff_of
from algotrader.execution.terms import reduce_to_sent
from algotrader.execution.values import Known, was_given_up
from algotrader.model import Decision, OrderIntent, Plan
from algotrader.session.timing import LAST_CALL, SETTLE

# Counted in seconds that the run waited, so a clock that jumps cannot shorten the wait.
LOOK_BACK_SECONDS = math.ceil((LAST_CALL + SETTLE).total_seconds())
# A late order is unlikely, so the run checks as rarely as the state machine's longest wait allows.
LOOK_EVERY_SECONDS = 60


def look_back_seconds(plan: Plan) -> int:
    """Compute the seconds to wait before the run may end, 0 if the run gave up no unseen order."""
    if plan.gave_up_after is None:
        return 0
    return max(0, plan.gave_up_after + LOOK_BACK_SECONDS - plan.waited_seconds)


def restore_late_orders(decision: Decision, plan: Plan, known: Known) -> Plan:
    """Return the plan with the orders that the broker shows although the run gives them up.

    The run has given them up before, or it gives them up now, because their leg has ended.
    """
    planned = {each.client_order_id for each in plan.orders}
    returned: list[OrderIntent] = [
        reduce_to_sent(intent, known.beyond_plan[intent.client_order_id])
        for intent in (*decision.exits, *decision.entries)
        if intent.client_order_id in known.beyond_plan
        and intent.client_order_id not in planned
        and (cutoff_of(plan, intent) is not None or was_given_up(intent, plan))
    ]
    there = {(each.symbol, each.side) for each in returned}
    ids = {each.client_order_id for each in returned}
    return replace(
        plan,
        orders=(*plan.orders, *returned),
        denied=tuple(each for each in plan.denied if (each.symbol, each.side) not in there),
        rejected=tuple(each for each in plan.rejected if each.client_order_id not in ids),
    )
