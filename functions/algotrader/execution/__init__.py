"""Owns what Submit Orders does next: the plan as a write-ahead log, as pure functions.

A call gathers what the broker knows (`Known`), asks `orders_to_post` and `orders_to_cancel`,
carries them out, and hands the `Outcome` to `advance`, which gives the next plan. Nothing is posted
that was not in the plan the call was given, so every intent is written down before it is sent.
"""

from algotrader.execution.approval import find_unapproved, plan_conflict
from algotrader.execution.cutoff import STOP_RESERVE, cut_off_if_due, trades_end
from algotrader.execution.entries import PROCEEDS
from algotrader.execution.late_orders import LOOK_BACK_SECONDS
from algotrader.execution.order_status import PATIENT_POLLS
from algotrader.execution.plan import (
    BACK_OFF_SECONDS,
    adopt,
    advance,
    first_plan,
)
from algotrader.execution.posting import (
    RESEND_POLLS,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.execution.terms import check_terms, is_of
from algotrader.execution.values import Known, PostResult, Step
from algotrader.session.timing import SETTLE

__all__ = [
    "BACK_OFF_SECONDS",
    "LOOK_BACK_SECONDS",
    "PATIENT_POLLS",
    "PROCEEDS",
    "RESEND_POLLS",
    "SETTLE",
    "STOP_RESERVE",
    "Known",
    "PostResult",
    "Step",
    "adopt",
    "advance",
    "check_terms",
    "cut_off_if_due",
    "find_unapproved",
    "first_plan",
    "is_of",
    "orders_due",
    "orders_to_cancel",
    "orders_to_post",
    "plan_conflict",
    "trades_end",
]
