"""Owns the broker's order statuses: which ones end an order, and which ones keep a stop in force.

A status is Alpaca's own word, because the record and the e-mail show it unchanged. No other module
of the core names a status. docs/orders.md describes each status, and a test compares the two.
"""

from __future__ import annotations

from msgspec import Struct

from algotrader.model import Order


class Meaning(Struct, frozen=True):
    """The meaning of a status for the desk.

    Attributes
    ----------
    is_end : bool
        Whether nothing more can happen to the order.
    protects : bool
        Whether a stop with this status protects the position, or will when the market opens.
    may_be_refused : bool
        Whether the broker has accepted the order and may still reject it.
    """

    is_end: bool = False
    protects: bool = False
    may_be_refused: bool = False


FILLED, REJECTED, REPLACED = "filled", "rejected", "replaced"
_CANCEL_PENDING = "pending_cancel"

_ENDED, _WAITING = Meaning(is_end=True), Meaning()
_STANDING = Meaning(protects=True)
_ARRIVING = Meaning(protects=True, may_be_refused=True)

STATUSES = {
    "accepted": _ARRIVING,
    "pending_new": _ARRIVING,
    "accepted_for_bidding": _ARRIVING,
    "new": _STANDING,
    "partially_filled": _STANDING,
    FILLED: _ENDED,
    "done_for_day": _STANDING,
    "canceled": _ENDED,
    "expired": _ENDED,
    REPLACED: _ENDED,
    _CANCEL_PENDING: _WAITING,
    "pending_replace": _WAITING,
    "stopped": _STANDING,
    REJECTED: _ENDED,
    "suspended": _WAITING,
    "calculated": _WAITING,
    "held": _WAITING,
}


def is_terminal(order: Order) -> bool:
    """Whether the order has ended; an order with an unknown status has not."""
    return _meaning(order).is_end


def stands(stop: Order) -> bool:
    """Whether a stop order protects its position, by its status."""
    return _meaning(stop).protects


def may_be_refused(order: Order) -> bool:
    """Whether the broker has accepted the order and may still reject it."""
    return _meaning(order).may_be_refused


def is_cancel_pending(order: Order) -> bool:
    """Whether a cancellation is under way, so that the desk need not request it again."""
    return order.status == _CANCEL_PENDING


def _meaning(order: Order) -> Meaning:
    return STATUSES.get(order.status, _WAITING)
