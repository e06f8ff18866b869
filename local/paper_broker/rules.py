"""Owns the rules by which the broker accepts or refuses an order, in Alpaca's words and codes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from local.paper_broker.values import ApiError, Order, Ticket

FORBIDDEN = 40310000
INVALID = 42210000
MALFORMED = 40010001
MAX_ID_LENGTH = 128
MAX_SHARE_DECIMALS = 9
MOST_DIGITS = 15  # more than any real amount has, and few enough to avoid an overflow
PRICED_BY = {
    "market": (),
    "limit": ("limit_price",),
    "stop": ("stop_price",),
    "stop_limit": ("limit_price", "stop_price"),
}
TIMES_IN_FORCE = ("day", "gtc", "ioc", "fok")


def parse_ticket(body: object) -> Ticket:
    """Read the body of POST /v2/orders, or raise a 422 that names the wrong field."""
    if not isinstance(body, Mapping):
        raise _malformed("request body format is invalid")
    order_class = body.get("order_class") or "simple"
    if order_class != "simple":
        raise _malformed(f"order_class {order_class} is not supported by the paper broker")
    order_type = _choice(body, "type", tuple(PRICED_BY), "invalid order type")
    prices = {name: _number(body, name) for name in ("limit_price", "stop_price")}
    for name, price in prices.items():
        wanted = name in PRICED_BY[order_type]
        word = name.replace("_", " ")
        if wanted and price is None:
            raise _malformed(f"{order_type.replace('_', ' ')} orders require {word}")
        if not wanted and price is not None:
            raise _malformed(f"{order_type.replace('_', ' ')} orders must not have {word}")
        if price is not None:
            _check_price(name, price)
    qty, notional = _number(body, "qty"), _number(body, "notional")
    if (qty is None) == (notional is None):
        both = qty is not None
        raise _malformed(
            "only one of qty or notional is accepted" if both else "qty or notional is required"
        )
    if (qty is not None and qty <= 0) or (notional is not None and notional <= 0):
        raise _malformed("qty must be > 0" if qty is not None else "notional must be > 0")
    ticket = Ticket(
        client_order_id=_client_order_id(body),
        symbol=_text(body, "symbol"),
        side=_choice(body, "side", ("buy", "sell"), "side must be buy or sell"),
        type=order_type,
        time_in_force=_choice(body, "time_in_force", TIMES_IN_FORCE, "invalid time_in_force"),
        qty=qty,
        notional=notional,
        limit_price=prices["limit_price"],
        stop_price=prices["stop_price"],
        extended_hours=body.get("extended_hours") is True,
    )
    if ticket.extended_hours and (ticket.type, ticket.time_in_force) != ("limit", "day"):
        raise ApiError(422, INVALID, "extended hours order must be DAY limit orders")
    return ticket


def check_fraction(ticket: Ticket, *, fractionable: bool) -> None:
    """Refuse a fraction of a share if whole shares are required.

    Raises
    ------
    ApiError
        403 if the symbol trades in whole shares only, 422 if the order's terms allow no fraction.
    """
    if ticket.qty is not None and ticket.qty == ticket.qty.to_integral_value():
        return
    if not fractionable:
        raise ApiError(403, FORBIDDEN, f'asset "{ticket.symbol}" is not fractionable')
    if ticket.time_in_force != "day":
        raise ApiError(422, INVALID, "fractional orders must be DAY orders")
    if ticket.qty is not None and _decimals(ticket.qty) > MAX_SHARE_DECIMALS:
        raise ApiError(422, INVALID, "qty must be limited to 9 decimal places")
    if ticket.notional is not None and _decimals(ticket.notional) > 2:  # noqa: PLR2004  # cents
        raise ApiError(422, INVALID, "notional value must be limited to 2 decimal places")
    if ticket.notional is not None and ticket.notional < 1:
        raise ApiError(403, FORBIDDEN, "cost basis must be >= minimal amount of order 1")


def check_wash_trade(ticket: Ticket, open_orders: list[Order]) -> None:
    """Refuse an order that could trade against an open order of the same account.

    Raises
    ------
    ApiError
        403 if two limit orders on opposite sides cross, or if another order faces any on the other
        side.
    """
    for order in open_orders:
        other = order.ticket
        if other.symbol != ticket.symbol or other.side == ticket.side:
            continue
        if ticket.type == other.type == "limit":
            bid, ask = ticket.limit_price, order.limit_price
            if ticket.side == "sell":
                bid, ask = ask, bid
            if bid is None or ask is None or bid < ask:
                continue
            reason = "opposite side limit order exists"
        else:
            reason = "opposite side market/stop order exists"
        raise ApiError(
            403,
            FORBIDDEN,
            "potential wash trade detected. use complex orders",
            existing_order_id=order.id,
            reject_reason=reason,
        )


def _malformed(message: str) -> ApiError:
    return ApiError(422, MALFORMED, message)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _malformed(f"{name} is required")
    return value


def _choice(body: Mapping[str, Any], name: str, known: tuple[str, ...], message: str) -> str:
    value = _text(body, name)
    if value not in known:
        raise _malformed(message)
    return value


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        raise _malformed(f"{name} must be a number")
    return number


def _client_order_id(body: Mapping[str, Any]) -> str | None:
    value = body.get("client_order_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _malformed("client_order_id must be a string")
    if len(value) > MAX_ID_LENGTH:
        raise _malformed(f"client_order_id must be no more than {MAX_ID_LENGTH} characters")
    return value


def _check_price(name: str, price: Decimal) -> None:
    if price <= 0:
        raise _malformed(f"{name} must be > 0")
    if _decimals(price) > (2 if price >= 1 else 4):
        raise ApiError(
            422,
            INVALID,
            f"invalid {name} {price}. "
            "sub-penny increment does not fulfill minimum pricing criteria",
        )


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
