"""Owns desk ids, run ids and client order ids.

An id does not depend on the decision. The same desk, session, slot, symbol and leg always give the
same id. So a repeated or parallel run finds the order instead of placing a second one.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date

from msgspec import Struct

from algotrader.model import Leg

MAX_CLIENT_ORDER_ID_LENGTH = 48
SYMBOL_PATTERN = re.compile(r"[A-Z][A-Z0-9.]{0,9}")
DESK_PATTERN = re.compile(r"[0-9a-f]{6}")
SLOT_PATTERN = re.compile(r"day|report|f?([01][0-9]|2[0-3])[0-5][0-9]")

_DESK = re.compile(rf"at1-({DESK_PATTERN.pattern})-")
_CLIENT_ORDER_ID = re.compile(
    r"at1-(?P<desk>[0-9a-f]{6})-(?P<session>\d{4}-\d\d-\d\d)-(?P<slot>day|f?\d{4})"
    r"-(?P<symbol>[A-Z][A-Z0-9.]{0,9})-(?P<leg>entry|exit|stop|target|flatten)-(?P<n>\d+)"
)


class OrderPlace(Struct, frozen=True):
    """The parts of a client order id; ``n`` counts deliberate replacements from 0."""

    desk: str
    session: date
    slot: str
    symbol: str
    leg: Leg
    n: int


def desk_id(account_number: str, stack: str) -> str:
    """Compute a desk's id: a short hash of its account and its stack.

    The strategy is not part of the id, so a new strategy takes over the desk's holdings.

    Parameters
    ----------
    account_number, stack : str
        The broker's account number, and the CloudFormation stack's name.

    Returns
    -------
    str
        Six hexadecimal digits.
    """
    key = f"{account_number}\x1f{stack}"
    return hashlib.sha256(key.encode()).hexdigest()[:6]


def desk_prefix(desk: str) -> str:
    """Return the prefix of every client order id of a desk."""
    return f"at1-{desk}-"


def desk_of(client_order_id: str) -> str | None:
    """Return the id of the desk that sent an order.

    Return None if a person or another program sent it.
    """
    match = _DESK.match(client_order_id)
    return match and match[1]


def run_id(session: date, slot: str) -> str:
    """Format a run's id: ``<session>-<slot>``."""
    return f"{session.isoformat()}-{slot}"


def client_order_id(place: OrderPlace) -> str:
    """Format a client order id: ``at1-<desk>-<session>-<slot>-<symbol>-<leg>-<n>``.

    Raises
    ------
    ValueError
        If the id is too long, or `parse_client_order_id` does not parse it back. The run has
        validated settings and slots before, so the error is a bug in our code.
    """
    text = (
        f"{desk_prefix(place.desk)}{run_id(place.session, place.slot)}"
        f"-{place.symbol}-{place.leg.value}-{place.n}"
    )
    if len(text) > MAX_CLIENT_ORDER_ID_LENGTH or parse_client_order_id(text) != place:
        message = f"not a client order id: {text}"
        raise ValueError(message)
    return text


def parse_client_order_id(text: str) -> OrderPlace | None:
    """Parse a client order id, or return None if none of our desks wrote it."""
    match = _CLIENT_ORDER_ID.fullmatch(text)
    if match is None:
        return None
    try:
        session = date.fromisoformat(match["session"])
    except ValueError:
        return None
    return OrderPlace(
        desk=match["desk"],
        session=session,
        slot=match["slot"],
        symbol=match["symbol"],
        leg=Leg(match["leg"]),
        n=int(match["n"]),
    )
