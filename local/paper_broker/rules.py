"""Owns the rules by which the broker accepts or refuses an order, in Alpaca's words and codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from local.paper_broker.values import TRAILING_STOP, ApiError, Order, Ticket

FORBIDDEN = 40310000
INVALID = 42210000
MALFORMED = 40010001
MAX_ID_LENGTH = 128
MAX_SHARE_DECIMALS = 9
_CONTRACT = re.compile(r"[A-Z]{1,6}\d{6}[CP]\d{8}")
_PAIR = re.compile(r"[A-Z]{2,6}/[A-Z]{3,5}")
MOST_DIGITS = 15  # more than any real amount has, and few enough to avoid an overflow
PRICED_BY = {
    "market": (),
    "limit": ("limit_price",),
    "stop": ("stop_price",),
    "stop_limit": ("limit_price", "stop_price"),
    TRAILING_STOP: (),
}
TRAILS = ("trail_price", "trail_percent")
AT_ONCE = ("ioc", "fok")
TIMES_IN_FORCE = ("day", "gtc", *AT_ONCE)


def parse_ticket(body: object) -> Ticket:
    """Read the body of POST /v2/orders, or raise a 422 that names the wrong field."""
    if not isinstance(body, Mapping):
        raise _malformed("request body format is invalid")
    _refuse_what_is_not_simulated(body)
    order_type = _choice(body, "type", tuple(PRICED_BY), "invalid order type")
    prices = {name: read_number(body, name) for name in ("limit_price", "stop_price")}
    for name, price in prices.items():
        check_price(order_type, name, price)
    trails = {name: read_number(body, name) for name in TRAILS}
    _check_trails(order_type, trails)
    qty, notional = read_number(body, "qty"), read_number(body, "notional")
    if (qty is None) == (notional is None):
        both = qty is not None
        raise _malformed(
            "only one of qty or notional is accepted" if both else "qty or notional is required"
        )
    if (qty is not None and qty <= 0) or (notional is not None and notional <= 0):
        raise _malformed("qty must be > 0" if qty is not None else "notional must be > 0")
    ticket = Ticket(
        client_order_id=read_client_order_id(body),
        symbol=_text(body, "symbol"),
        side=_choice(body, "side", ("buy", "sell"), "side must be buy or sell"),
        type=order_type,
        time_in_force=read_time_in_force(body),
        qty=qty,
        notional=notional,
        limit_price=prices["limit_price"],
        stop_price=prices["stop_price"],
        extended_hours=body.get("extended_hours") is True,
        **trails,
    )
    check_time_in_force(ticket)
    if ticket.extended_hours and (ticket.type, ticket.time_in_force) != ("limit", "day"):
        raise ApiError(422, INVALID, "extended hours order must be DAY limit orders")
    return ticket


def _refuse_what_is_not_simulated(body: Mapping[str, Any]) -> None:
    """Refuse options, crypto and orders with legs, as Alpaca does for an account without them."""
    order_class, symbol = body.get("order_class") or "simple", str(body.get("symbol") or "")
    if order_class == "mleg":
        raise ApiError(403, FORBIDDEN, "submit mleg order is disabled")
    if order_class != "simple":
        raise _malformed(f"order_class {order_class} is not supported by the paper broker")
    if _CONTRACT.fullmatch(symbol):
        raise ApiError(403, FORBIDDEN, "account not authorized to trade options")
    if _PAIR.fullmatch(symbol):
        raise _malformed("crypto orders not allowed for account")


def read_time_in_force(body: Mapping[str, Any], default: str = "") -> str:
    """Read how long an order is good for, or raise a 422."""
    given = {"time_in_force": body.get("time_in_force") or default}
    return _choice(given, "time_in_force", TIMES_IN_FORCE, "invalid time_in_force")


def check_time_in_force(ticket: Ticket) -> None:
    """Refuse a trailing stop that is good for neither the day nor until canceled."""
    if ticket.trails and ticket.time_in_force in AT_ONCE:
        raise _malformed("invalid time_in_force")


def check_fraction(ticket: Ticket, *, fractionable: bool) -> None:
    """Refuse a fraction of a share if whole shares are required.

    Raises
    ------
    ApiError
        403 if the symbol trades in whole shares only, 422 if the order's terms allow no fraction.
    """
    if ticket.qty is not None and ticket.qty == ticket.qty.to_integral_value():
        return
    if ticket.trails:
        message = "fractional orders must be market, limit, stop or stop_limit orders"
        raise ApiError(422, INVALID, message)
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

    Alpaca exempts trailing stops, old and new ones.

    Raises
    ------
    ApiError
        403 if two limit orders on opposite sides cross, or if two orders on opposite sides are not
        both limit orders.
    """
    for order in () if ticket.trails else open_orders:
        other = order.ticket
        if other.symbol != ticket.symbol or other.side == ticket.side or other.trails:
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


def read_number(body: Mapping[str, Any], name: str) -> Decimal | None:
    """Read a number, given as a string or as a JSON number, or return None if it is absent."""
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


def read_client_order_id(body: Mapping[str, Any]) -> str | None:
    """Read the client's id, or return None if the client leaves it to the broker."""
    value = body.get("client_order_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _malformed("client_order_id must be a string")
    if len(value) > MAX_ID_LENGTH:
        raise _malformed(f"client_order_id must be no more than {MAX_ID_LENGTH} characters")
    return value


def check_price(order_type: str, name: str, price: Decimal | None) -> None:
    """Refuse a price that an order's type lacks or must not have, or that the exchange refuses."""
    kind, word = order_type.replace("_", " "), name.replace("_", " ")
    is_wanted = name in PRICED_BY[order_type]
    if is_wanted and price is None:
        both = order_type == "stop_limit"
        wanted = "both stop and limit price" if both else f"a {word}"
        raise _malformed(f"{kind} orders require {wanted}")
    if not is_wanted and price is not None:
        is_market = order_type == "market"
        refused = "require no stop or limit price" if is_market else f"must not have {word}"
        raise _malformed(f"{kind} orders {refused}")
    if price is None:
        return
    if price <= 0:
        raise _malformed(f"{name} must be > 0")
    if _decimals(price) > (2 if price >= 1 else 4):
        raise ApiError(
            422,
            INVALID,
            f"invalid {name} {price}. "
            "sub-penny increment does not fulfill minimum pricing criteria",
        )


def _check_trails(order_type: str, trails: Mapping[str, Decimal | None]) -> None:
    given = [name for name in TRAILS if trails[name] is not None]
    if order_type != TRAILING_STOP:
        if given:
            raise _malformed(f"{order_type.replace('_', ' ')} orders must not have {given[0]}")
        return
    if len(given) != 1:
        raise _malformed("trailing stop orders must specify one of trail_price or trail_percent")
    check_trail(given[0], trails[given[0]])


def check_trail(name: str, trail: Decimal | None) -> None:
    """Refuse a trailing stop's distance that is not positive, or is 100 % or more."""
    if trail is None or trail <= 0:
        raise _malformed(f"{name} must be > 0")
    if name == "trail_percent" and trail >= 100:  # noqa: PLR2004  # percent
        raise _malformed("trail_percent must be < 100")


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
