"""Owns the look back of a run that gave orders up without having seen them.

Another execution may have begun a call with the plan before that, and be sending its orders at
that very moment. So the run does not end before such a call is over and what it sent must show. An
order that is there all the same goes back into the plan: it is canceled where its leg has ended,
waited for, and told.
"""

from __future__ import annotations

import math
from dataclasses import replace

from algotrader.execution.terms import as_sent
from algotrader.execution.values import Known, was_given_up
from algotrader.model import Decision, OrderIntent, Plan
from algotrader.session.timing import LAST_CALL, SETTLE

# By the waiting that the run was told, as no clock that jumps may shorten it.
LOOK_BACK_SECONDS = math.ceil((LAST_CALL + SETTLE).total_seconds())
# Nothing is expected to happen meanwhile: it looks as rarely as the state machine waits at most.
LOOK_EVERY_SECONDS = 60


def look_back_seconds(plan: Plan) -> int:
    """Return the seconds to wait before the run may end; 0 if it gave up nothing unseen."""
    if plan.gave_up_after is None:
        return 0
    return max(0, plan.gave_up_after + LOOK_BACK_SECONDS - plan.waited_seconds)


def restore_late_orders(decision: Decision, plan: Plan, known: Known) -> Plan:
    """Put the orders back that the plan gave up, and that are there all the same."""
    returned: list[OrderIntent] = [
        as_sent(intent, known.beyond_plan[intent.client_order_id])
        for intent in (*decision.exits, *decision.entries)
        if intent.client_order_id in known.beyond_plan and was_given_up(intent, plan)
    ]
    there = {(each.symbol, each.side) for each in returned}
    ids = {each.client_order_id for each in returned}
    return replace(
        plan,
        orders=(*plan.orders, *returned),
        denied=tuple(each for each in plan.denied if (each.symbol, each.side) not in there),
        rejected=tuple(each for each in plan.rejected if each.client_order_id not in ids),
    )
