"""Owns the control endpoints under /_paper/: the clock, deposits, manual orders, faults."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from local.paper_broker import trading_wire
from local.paper_broker.account import BOOKED_BY_HAND
from local.paper_broker.broker import BELL, TimeRunsForwardError
from local.paper_broker.rules import parse_ticket
from local.paper_broker.values import ActivityKind, ApiError, Behaviour
from local.paper_broker.wsgi import Answer, Call, Route

T = TypeVar("T")
WRONG = 40010001


class MoveRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /_paper/session; ``time`` is in New York time."""

    date: date
    time: str = BELL.strftime("%H:%M")


class DepositRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /_paper/deposit; a negative amount is a withdrawal.

    ``type`` is Alpaca's activity type; the default is CSD, or CSW if the amount is negative.
    """

    amount: Decimal
    type: ActivityKind | None = None


def get_sessions(call: Call) -> Answer:
    """List the dates of all sessions."""
    return Answer([session.isoformat() for session in call.exchange.market.sessions])


def post_session(call: Call) -> Answer:
    """Move the clock to a bell, through every session in between."""
    wanted = _convert(call.body(), MoveRequest)
    try:
        at = time.fromisoformat(wanted.time)
    except ValueError as error:
        raise ApiError(422, WRONG, f"time is not HH:MM: {wanted.time}") from error
    try:
        bell = call.broker.move_to(wanted.date, at)
    except TimeRunsForwardError as error:
        raise ApiError(409, 40910000, str(error)) from error
    except ValueError as error:
        raise ApiError(422, WRONG, str(error)) from error
    return Answer(
        {
            "session": wanted.date.isoformat(),
            "is_session": call.exchange.market.is_session(wanted.date),
            "scheduled_time": bell.isoformat().replace("+00:00", "Z"),
        }
    )


def post_deposit(call: Call) -> Answer:
    """Deposit or withdraw cash, or book cash of another kind."""
    wanted = _convert(call.body(), DepositRequest)
    if not wanted.amount.is_finite():
        raise ApiError(422, WRONG, "amount must be a number")
    if wanted.type not in (None, *BOOKED_BY_HAND):
        raise ApiError(422, WRONG, f"type must be one of {', '.join(BOOKED_BY_HAND)}")
    return Answer(trading_wire.activity(call.exchange.deposit(wanted.amount, wanted.type)))


def post_order(call: Call) -> Answer:
    """Place an order as the user would by hand; the default is a market order for the day."""
    body = call.body()
    defaults = {"type": "market", "time_in_force": "day"}
    ticket = parse_ticket({**defaults, **body} if isinstance(body, dict) else body)
    return Answer(trading_wire.order(call.exchange, call.exchange.submit(ticket)))


def get_behaviour(call: Call) -> Answer:
    """Return how the exchange treats orders."""
    return Answer(msgspec.to_builtins(call.exchange.behaviour))


def post_behaviour(call: Call) -> Answer:
    """Change the fields of `Behaviour` that the body names."""
    changes = call.body()
    if not isinstance(changes, dict):
        raise ApiError(422, WRONG, "expected a JSON object")
    merged = {**msgspec.to_builtins(call.exchange.behaviour), **changes}
    call.broker.behave(_convert(merged, Behaviour))
    return Answer(msgspec.to_builtins(call.broker.exchange.behaviour))


def get_faults(call: Call) -> Answer:
    """List the plan's faults that have happened."""
    plan = call.broker.faults
    return Answer(msgspec.to_builtins(plan.happened) if plan else [])


def _convert(value: Any, kind: type[T]) -> T:
    try:
        # Amounts of money can be JSON numbers or strings.
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ApiError(422, WRONG, str(error)) from error


ROUTES: tuple[Route, ...] = (
    ("GET", "/_paper/sessions", get_sessions),
    ("POST", "/_paper/session", post_session),
    ("POST", "/_paper/deposit", post_deposit),
    ("POST", "/_paper/order", post_order),
    ("GET", "/_paper/behaviour", get_behaviour),
    ("POST", "/_paper/behaviour", post_behaviour),
    ("GET", "/_paper/faults", get_faults),
)
