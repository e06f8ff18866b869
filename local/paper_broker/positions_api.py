"""Owns the endpoints of positions: reading them, and closing them by market orders."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

from local.paper_broker import rules, trading_wire
from local.paper_broker.matching import SHARE, SHARE_FRACTION
from local.paper_broker.values import ApiError, Order, Ticket
from local.paper_broker.wsgi import Answer, Call, Route, error_body

NO_POSITION = 40410000
WHOLE = Decimal(100)


def get_positions(call: Call) -> Answer:
    """List the positions by symbol."""
    symbols = sorted(call.exchange.account.holdings)
    return Answer([trading_wire.position(call.exchange, symbol) for symbol in symbols])


def get_position(call: Call) -> Answer:
    """Return one position, by symbol or asset id."""
    return Answer(trading_wire.position(call.exchange, _held_symbol(call)))


def delete_position(call: Call) -> Answer:
    """Close a position, or the part that ``qty`` or ``percentage`` names."""
    symbol = _held_symbol(call)
    order = _close(call, symbol, _part(call, abs(call.exchange.account.qty(symbol))))
    return Answer(trading_wire.order(call.exchange, order))


def delete_positions(call: Call) -> Answer:
    """Close every position, and report a status for each; first cancel open orders on request."""
    exchange = call.exchange
    if (call.text("cancel_orders") or "").lower() == "true":
        exchange.cancel_all()
    rows: list[dict[str, Any]] = []
    for symbol in sorted(exchange.account.holdings):
        try:
            order = _close(call, symbol, abs(exchange.account.qty(symbol)))
            row = {"status": 200, "body": trading_wire.order(exchange, order)}
        except ApiError as refusal:
            row = {"status": refusal.status, "body": error_body(refusal)}
        rows.append({"symbol": symbol, **row})
    return Answer(rows, 207)


def _held_symbol(call: Call) -> str:
    wanted = call.path["symbol"]
    for symbol in call.exchange.account.holdings:
        if wanted in (symbol, call.exchange.asset_id(symbol)):
            return symbol
    raise ApiError(404, NO_POSITION, "position does not exist")


def _part(call: Call, held: Decimal) -> Decimal:
    """Return the shares to close; a percentage of whole shares is rounded down to whole shares."""
    given = {name: call.text(name) for name in ("qty", "percentage")}
    qty, percentage = (rules.read_number(given, name) for name in given)
    if qty is not None and percentage is not None:
        raise ApiError(422, rules.MALFORMED, "only one of qty or percentage is accepted")
    if percentage is not None:
        if not 0 < percentage <= WHOLE:
            raise ApiError(422, rules.MALFORMED, "percentage must be between 0 and 100")
        grain = SHARE if held == held.to_integral_value() else SHARE_FRACTION
        qty = (held * percentage / WHOLE).quantize(grain, ROUND_DOWN)
    if qty is None:
        return held
    if qty <= 0:
        raise ApiError(422, rules.MALFORMED, "qty must be > 0")
    return qty


def _close(call: Call, symbol: str, qty: Decimal) -> Order:
    side = "sell" if call.exchange.account.qty(symbol) > 0 else "buy"
    return call.exchange.submit(
        Ticket(
            client_order_id=None,
            symbol=symbol,
            side=side,
            type="market",
            time_in_force="day",
            qty=qty,
            notional=None,
            limit_price=None,
            stop_price=None,
            extended_hours=False,
        )
    )


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/positions", get_positions),
    ("GET", "/v2/positions/<symbol>", get_position),
    ("DELETE", "/v2/positions", delete_positions),
    ("DELETE", "/v2/positions/<symbol>", delete_position),
)
