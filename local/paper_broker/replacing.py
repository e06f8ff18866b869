"""Owns the rules of PATCH /v2/orders/<id>: which orders can be replaced, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from local.paper_broker import rules
from local.paper_broker.values import ApiError, Order, Ticket

REPLACEABLE = ("new", "partially_filled")


def new_ticket(old: Order, body: object) -> Ticket:
    """Return the request that replaces an order: the old terms with the body's changes.

    The new order trades what the old one has not, so its quantity is the new quantity less the
    filled part.

    Raises
    ------
    ApiError
        422 if the order cannot be replaced, or not by these terms.
    """
    if old.status not in REPLACEABLE:
        raise ApiError(422, rules.INVALID, _refusal(old.status))
    if not isinstance(body, Mapping):
        raise ApiError(422, rules.MALFORMED, "request body format is invalid")
    if old.ticket.notional is not None or body.get("notional") is not None or old.qty is None:
        raise ApiError(422, rules.INVALID, "notional orders cannot be replaced")
    before = replace(
        old.ticket, qty=old.qty, limit_price=old.limit_price, stop_price=_own_stop(old)
    )
    qty = _qty(old.qty, body)
    trail_price, trail_percent = _trails(before, body)
    wanted = replace(
        before,
        qty=qty,
        limit_price=_price(before, body, "limit_price"),
        stop_price=_price(before, body, "stop_price"),
        trail_price=trail_price,
        trail_percent=trail_percent,
        time_in_force=rules.read_time_in_force(body, before.time_in_force),
    )
    if wanted == before:
        raise ApiError(422, rules.INVALID, "order parameters are not changed")
    rules.check_time_in_force(wanted)
    if qty <= old.filled_qty:
        raise ApiError(422, rules.INVALID, "qty must be > filled_qty")
    client_order_id = rules.read_client_order_id(body)
    return replace(wanted, qty=qty - old.filled_qty, client_order_id=client_order_id)


def _refusal(status: str) -> str:
    if status == "replaced":
        return "order already replaced"
    return f"cannot replace order in {status} status"


def _own_stop(order: Order) -> Decimal | None:
    """Return the stop price that the client chose; a trailing stop has none."""
    return None if order.ticket.trails else order.stop_price


def _price(before: Ticket, body: Mapping[str, object], name: str) -> Decimal | None:
    price = rules.read_number(body, name)
    if price is None:
        return before.limit_price if name == "limit_price" else before.stop_price
    rules.check_price(before.type, name, price)
    return price


def _qty(before: Decimal, body: Mapping[str, object]) -> Decimal:
    qty = rules.read_number(body, "qty")
    if qty is None or qty == before:
        return before
    if qty <= 0:
        raise ApiError(422, rules.MALFORMED, "qty must be > 0")
    if any(each != each.to_integral_value() for each in (qty, before)):
        raise ApiError(422, rules.INVALID, "only whole shares can be replaced")
    return qty


def _trails(before: Ticket, body: Mapping[str, object]) -> tuple[Decimal | None, Decimal | None]:
    """Return the distance in dollars and in percent; a new distance keeps the old one's kind."""
    trail = rules.read_number(body, "trail")
    if trail is None:
        return before.trail_price, before.trail_percent
    if not before.trails:
        kind = before.type.replace("_", " ")
        raise ApiError(422, rules.MALFORMED, f"{kind} orders must not have trail")
    if before.trail_price is not None:
        rules.check_trail("trail_price", trail)
        return trail, None
    rules.check_trail("trail_percent", trail)
    return None, trail
