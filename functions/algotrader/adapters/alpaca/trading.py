"""Owns the trading API: clock, calendar, account, positions, orders, assets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from algotrader.adapters.alpaca import wire
from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.faults import (
    fate_unknown,
    leaf_for,
    outcome_of_failed_order,
    require_ok,
)
from algotrader.adapters.alpaca.reply import Reply, decode_reply, format_instant, invalid
from algotrader.adapters.alpaca.statement import CASH_FLOWS
from algotrader.errors import BrokerUnavailableError, DeskError
from algotrader.model import (
    Account,
    Asset,
    Clock,
    Order,
    OrderIntent,
    OrderRejected,
    Position,
    Session,
    SessionEquity,
)
from algotrader.session.trigger import NEW_YORK

ORDERS_PAGE = 500
#: A server may cap its pages below our limit, so a page with this many rows or more may not be
#: the last one. If the ledger lacked an order, the desk would buy the same shares again.
SMALLEST_PAGE = 50
#: The desk reads up to this many assets one by one. The list of all assets is about 6 MB, so it
#: takes as long as about ten requests, but it counts as one.
ASSETS_ONE_BY_ONE = 10
_NOT_FOUND = 404
_CANNOT_BE_CANCELED = 422
#: The list's ``after`` is exclusive and may be coarser than an order's own instant.
_PAGE_OVERLAP = timedelta(milliseconds=1)
#: The history rounds equity and profit separately.
_ROUNDING = Decimal("0.02")


class Trading:
    """The methods of `algotrader.broker.Broker` about the account."""

    def __init__(self, client: AlpacaClient) -> None:
        self._client = client

    def clock(self) -> Clock:
        """Read the broker's clock."""
        return decode_reply(require_ok(self._client.read("/clock")), wire.Clock).to_model()

    def sessions(self, start: date, end: date) -> tuple[Session, ...]:
        """List the exchange's sessions from ``start`` to ``end``, both included, ascending."""
        reply = require_ok(
            self._client.read(
                "/calendar",
                # Request one more day at each end, because servers differ in what a range includes.
                {
                    "start": f"{start - timedelta(days=1)}T00:00:00Z",
                    "end": f"{end + timedelta(days=1)}T00:00:00Z",
                },
            )
        )
        rows = {row.date: row for row in decode_reply(reply, list[wire.Session])}
        return tuple(
            rows[day].to_model(reply.request) for day in sorted(rows) if start <= day <= end
        )

    def account(self) -> Account:
        """Read the account."""
        return decode_reply(require_ok(self._client.read("/account")), wire.Account).to_model()

    def is_long_only(self) -> bool:
        """Whether the account itself forbids short sales; False if it does not say so."""
        reply = require_ok(self._client.read("/account/configurations"))
        return decode_reply(reply, wire.AccountConfigurations).no_shorting is True

    def positions(self) -> dict[str, Position]:
        """Read all positions, by symbol."""
        rows = decode_reply(require_ok(self._client.read("/positions")), list[wire.Position])
        return {row.symbol: row.to_model() for row in rows}

    def open_orders(self) -> tuple[Order, ...]:
        """List all open share orders, ascending by submission time."""
        return self._orders("open", None)

    def orders_after(self, after: datetime | None) -> tuple[Order, ...]:
        """List the share orders submitted after an instant, ascending; all orders if it is None."""
        return self._orders("all", after)

    def _orders(self, status: str, after: datetime | None) -> tuple[Order, ...]:
        found: dict[str, Order] = {}
        seen: set[str] = set()
        page = SMALLEST_PAGE
        parameters: dict[str, str | int] = {
            "status": status,
            "limit": ORDERS_PAGE,
            "direction": "asc",
            "nested": "false",
        }
        if after is not None:
            parameters["after"] = format_instant(after)
        while True:
            reply = require_ok(self._client.read("/orders", parameters))
            rows = decode_reply(reply, list[wire.Order])
            fresh = [row for row in rows if row.id not in seen]
            seen.update(row.id for row in fresh)
            for row in fresh:
                if row.is_equity:
                    found[row.id] = row.to_model(reply.request)
            gave_all_again = not fresh and len(rows) < ORDERS_PAGE
            if len(rows) < page or gave_all_again:
                return tuple(sorted(found.values(), key=lambda each: each.submitted_at))
            first, last = rows[0].since, rows[-1].since
            if not fresh or first is None or last is None:
                raise invalid(reply.request, "a page token repeats")
            page = len(rows)
            if first <= last:
                parameters["after"] = format_instant(last - _PAGE_OVERLAP)
            else:  # a server that ignores the direction and lists the newest first
                parameters["until"] = format_instant(last + _PAGE_OVERLAP)

    def order(self, client_order_id: str) -> Order | None:
        """Look an order up by our id; None if the broker does not know it."""
        reply = self._client.read(
            "/orders:by_client_order_id", {"client_order_id": client_order_id}
        )
        if _is_absent(reply):
            return None
        row = decode_reply(require_ok(reply), wire.Order)
        if row.client_order_id != client_order_id:
            raise invalid(reply.request, f"it is about {row.client_order_id}")
        return row.to_model(reply.request)

    def submit(self, intent: OrderIntent) -> Order | OrderRejected:
        """Send an order once.

        Raises
        ------
        OrderStateUnknownError
            ``ORDER_ID_TAKEN`` or ``ORDER_FATE_UNKNOWN``.
        BrokerUnavailableError
            ``BROKER_BUDGET_SPENT`` if the client did not send the order.
        """
        try:
            reply = self._client.post("/orders", order_body(intent))
        except BrokerUnavailableError as error:
            if error.code == "BROKER_BUDGET_SPENT":
                raise
            raise fate_unknown(intent, error.code) from error
        if not reply.ok:
            return outcome_of_failed_order(intent, reply)
        try:
            order = decode_reply(reply, wire.Order).to_model(reply.request)
        except BrokerUnavailableError as error:
            raise fate_unknown(intent, error.code) from error
        qty = intent.qty if intent.notional is None else None
        sent = (intent.client_order_id, intent.symbol, intent.side, qty, intent.notional)
        found = (order.client_order_id, order.symbol, order.side, order.qty, order.notional)
        if found != sent:
            raise fate_unknown(intent, "the answer is about another order")
        return order

    def cancel(self, broker_id: str) -> None:
        """Request a cancellation; the caller must read the order again to see the result."""
        reply = self._client.delete(f"/orders/{broker_id}")
        if not reply.ok and reply.status not in {_NOT_FOUND, _CANNOT_BE_CANCELED}:
            raise leaf_for(reply.request, reply)

    def assets(self, symbols: Iterable[str]) -> dict[str, Asset]:
        """Read each symbol's asset; a symbol that the broker does not know is absent."""
        wanted = set(symbols)
        if len(wanted) > ASSETS_ONE_BY_ONE:
            reply = self._client.read("/assets", {"status": "active", "asset_class": "us_equity"})
            rows = decode_reply(require_ok(reply), list[wire.Asset])
        else:
            rows = [row for row in map(self._asset, sorted(wanted)) if row is not None]
        return {row.symbol: row.to_model() for row in rows if row.symbol in wanted}

    def _asset(self, symbol: str) -> wire.Asset | None:
        reply = self._client.read(f"/assets/{symbol}")
        return None if _is_absent(reply) else decode_reply(require_ok(reply), wire.Asset)

    def session_equity(self, session: date, before: date) -> SessionEquity | None:
        """Read the account's equity at the closes of a session and of the session before it.

        Return None if the change in equity contradicts Alpaca's own profit column.
        """
        try:
            reply = self._client.read(
                "/account/portfolio/history",
                {
                    "timeframe": "1D",
                    "start": before.isoformat(),
                    "end": (session + timedelta(days=1)).isoformat(),
                    "cashflow_types": "ALL",
                },
            )
            history = decode_reply(require_ok(reply), wire.PortfolioHistory)
            return _equity_of(history, session, before)
        except (DeskError, ArithmeticError, LookupError, ValueError, OSError):
            return None  # only messages need it


def order_body(intent: OrderIntent) -> dict[str, str]:
    """Format an order as the POST's body, with only strings, so that no float rounds a price."""
    # The broker refuses an order with both a quantity and a value.
    if intent.notional is None:
        size = {"qty": format(intent.qty, "f")}
    else:
        size = {"notional": format(intent.notional, "f")}
    body = {
        "symbol": intent.symbol,
        **size,
        "side": intent.side.value,
        "type": intent.order_type.value,
        "time_in_force": intent.time_in_force.value,
        "client_order_id": intent.client_order_id,
    }
    if intent.limit_price is not None:
        body["limit_price"] = format(intent.limit_price, "f")
    if intent.stop_price is not None:
        body["stop_price"] = format(intent.stop_price, "f")
    return body


def _equity_of(history: wire.PortfolioHistory, session: date, before: date) -> SessionEquity | None:
    # Alpaca's instants are 20:00 in New York, which is the next day in UTC.
    days = [datetime.fromtimestamp(each, NEW_YORK).date() for each in history.timestamp]
    if days.count(session) != 1 or days.count(before) != 1:
        return None
    at, base = days.index(session), days.index(before)
    equity, equity_before = history.equity[at], history.equity[base]
    profit, profit_before = history.profit_loss[at], history.profit_loss[base]
    if not equity or not equity_before or profit is None or profit_before is None:
        return None
    change = equity - equity_before
    # Depending on the server, the column counts from the start of the period or restarts each day.
    # It contains deposits and withdrawals in either case.
    if all(abs(stated - change) > _ROUNDING for stated in (profit, profit - profit_before)):
        return None
    flows = None
    if history.cashflow is not None:
        columns = (history.cashflow.get(each, ()) for each in sorted(CASH_FLOWS))
        flows = sum((column[at] or Decimal(0) for column in columns if column), Decimal(0))
    return SessionEquity(equity_before, equity, flows)


def _is_absent(reply: Reply) -> bool:
    """Whether the broker says, in JSON, that it does not know the requested object.

    Any other 404 means that the path does not exist, so the base URL is wrong.
    """
    return reply.status == _NOT_FOUND and reply.body.lstrip()[:1] == b"{"
