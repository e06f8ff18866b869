"""Owns what Submit Orders does next: the plan as a write-ahead log, as pure functions.

A call gathers what the broker knows (`Known`), asks `orders_to_post` and `orders_to_cancel`,
carries them out, and hands the `Outcome` to `advance`, which gives the next plan. Nothing is posted
that was not in the plan the call was given, so every intent is written down before it is sent.
"""

from algotrader.delays import SETTLE
from algotrader.submission.approval import plan_conflict, unapproved
from algotrader.submission.cash import PROCEEDS
from algotrader.submission.closing import STOP_RESERVE, close_if_due, trades_end
from algotrader.submission.fates import PATIENT_POLLS
from algotrader.submission.looking_back import LOOK_BACK_SECONDS
from algotrader.submission.plans import (
    BACK_OFF_SECONDS,
    adopt,
    advance,
    first_plan,
)
from algotrader.submission.posting import (
    RESEND_POLLS,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.submission.terms import check_terms, is_of
from algotrader.submission.values import Known, Outcome, Step

__all__ = [
    "BACK_OFF_SECONDS",
    "LOOK_BACK_SECONDS",
    "PATIENT_POLLS",
    "PROCEEDS",
    "RESEND_POLLS",
    "SETTLE",
    "STOP_RESERVE",
    "Known",
    "Outcome",
    "Step",
    "adopt",
    "advance",
    "check_terms",
    "close_if_due",
    "first_plan",
    "is_of",
    "orders_due",
    "orders_to_cancel",
    "orders_to_post",
    "plan_conflict",
    "trades_end",
    "unapproved",
]
