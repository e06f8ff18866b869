"""Owns what Submit Orders does next: the plan as a write-ahead log, in pure functions.

A call reads the broker's state (`Known`), carries out what `orders_to_post` and `orders_to_cancel`
return, and passes the `PostResult` to `advance`, which returns the next plan. A call posts only
orders of the plan that it was given, so the journal has every order before the broker does.
"""

from algotrader.execution.approval import find_unapproved, plan_conflict
from algotrader.execution.cutoff import cut_off_if_due, trades_end
from algotrader.execution.plan import adopt, advance, first_plan, wait_for_broker
from algotrader.execution.posting import (
    never_sent,
    orders_due,
    orders_to_cancel,
    orders_to_post,
)
from algotrader.execution.terms import check_terms, matches_decided
from algotrader.execution.values import NOTHING_POSTED, Known, PostResult, Step

__all__ = [
    "NOTHING_POSTED",
    "Known",
    "PostResult",
    "Step",
    "adopt",
    "advance",
    "check_terms",
    "cut_off_if_due",
    "find_unapproved",
    "first_plan",
    "matches_decided",
    "never_sent",
    "orders_due",
    "orders_to_cancel",
    "orders_to_post",
    "plan_conflict",
    "trades_end",
    "wait_for_broker",
]
