"""Owns the account's activities: its statement, which has no trades, and its fills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from algotrader import model
from algotrader.adapters.alpaca import wire
from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.faults import require_ok
from algotrader.adapters.alpaca.reply import decode_reply, format_instant, invalid
from algotrader.errors import DeskError

STATEMENT_PAGE = 100
_CANCELED = "canceled"
#: What Alpaca's activity types mean for profit and books. A type in none of these sets is OTHER:
#: its effect on profit is unknown.
CASH_FLOWS = frozenset({"CSD", "CSW", "JNL", "JNLC", "ACATC"})
_COSTS = frozenset({"FEE", "CFEE", "PTC", "PTR"})  # interest starts with INT
_SHARE_FLOWS = {
    "ACATS": "transfer to or from another broker",
    "FOPT": "free-of-payment transfer",
    "JNLS": "journal of shares",
    "OPASN": "option assignment",
    "OPEXC": "option exercise",
    "OPTRD": "option trade",
    "REORG": "worthless removal",
}
_NAME_CHANGE = "NC"
_SHARE_CHANGES = {
    "MA": "merger or acquisition",
    _NAME_CHANGE: "name change",
    "REO": "reorganization",
    "SPIN": "spin-off",
    "SPLIT": "split",
}
_DESCRIPTIONS = _SHARE_FLOWS | _SHARE_CHANGES


class Row(wire.Answer, frozen=True):
    """A row of ``/v2/account/activities``; ``date`` may be an instant."""

    id: str
    activity_type: str
    date: str
    net_amount: Decimal | None = None
    symbol: str | None = None
    qty: Decimal | None = None
    per_share_amount: Decimal | None = None
    status: str | None = None
    created_at: wire.Instant | None = None

    def to_model(self, request: str) -> model.Activity:
        """Convert to `model.Activity`."""
        try:
            day = date.fromisoformat(self.date[:10])
        except ValueError as error:
            raise invalid(request, f"{self.date!r} is not a day") from error
        # A name change moves no cash, even if the row has an amount.
        is_cash = self.activity_type != _NAME_CHANGE
        amount = (self.net_amount if is_cash else None) or Decimal(0)
        qty = self.qty
        if not qty:
            per_share = self.per_share_amount
            qty = amount / per_share if per_share else None
        words = _DESCRIPTIONS.get(self.activity_type, "activity")
        return model.Activity(
            activity_id=self.id,
            kind=_kind_of(self.activity_type),
            description=f"{words} ({self.activity_type})",
            symbol=self.symbol or "",
            qty=qty,
            amount=amount,
            day=day,
            at=None if self.created_at is None else self.created_at.astimezone(UTC),
        )


class TradeRow(wire.Answer, frozen=True):
    """A fill in ``/v2/account/activities``."""

    id: str
    transaction_time: wire.Instant
    side: str
    qty: Decimal
    price: Decimal

    def to_model(self, request: str) -> model.Fill:
        """Convert to `model.Fill`."""
        if self.side not in _SIGNS:
            raise invalid(request, f"{self.side!r} is not a side")
        amount = _SIGNS[self.side] * self.qty * self.price
        return model.Fill(self.id, self.transaction_time.astimezone(UTC), amount)


_SIGNS = {"buy": Decimal(-1), "sell": Decimal(1), "sell_short": Decimal(1)}


def _kind_of(activity_type: str) -> model.ActivityKind:
    if activity_type in CASH_FLOWS:
        return model.ActivityKind.CASH_FLOW
    if activity_type in _SHARE_FLOWS:
        return model.ActivityKind.SHARE_FLOW
    if activity_type in _SHARE_CHANGES:
        return model.ActivityKind.SHARE_CHANGE
    if activity_type.startswith("DIV") or activity_type == "CGD":
        return model.ActivityKind.DIVIDEND
    if activity_type.startswith("INT") or activity_type in _COSTS:
        return model.ActivityKind.COST
    return model.ActivityKind.OTHER


_R = TypeVar("_R", Row, TradeRow)


class Statement:
    """The methods of `algotrader.broker.Broker` about the account's activities."""

    def __init__(self, client: AlpacaClient) -> None:
        self._client = client

    def statement(self, after: datetime) -> tuple[model.Activity, ...] | None:
        """Read all activities after an instant except trades; None if any is unreadable."""
        try:
            return tuple(
                row.to_model(request)
                for request, row in self._rows("non_trade_activity", after, list[Row])
                if row.status != _CANCELED
            )
        except (DeskError, ArithmeticError, ValueError, OSError):
            return None

    def fills(self, after: datetime) -> tuple[model.Fill, ...] | None:
        """Read all fills after an instant; None if any is unreadable."""
        try:
            return tuple(
                row.to_model(request)
                for request, row in self._rows("trade_activity", after, list[TradeRow])
            )
        except (DeskError, ArithmeticError, ValueError, OSError):
            return None

    def _rows(
        self, category: str, after: datetime, kind: type[list[_R]]
    ) -> Iterator[tuple[str, _R]]:
        """Read every row of a category once, each with the request that returned it."""
        seen: set[str] = set()
        parameters: dict[str, str | int] = {
            "category": category,
            "after": format_instant(after),
            "direction": "asc",
            "page_size": STATEMENT_PAGE,
        }
        while True:
            reply = self._client.read("/account/activities", parameters)
            rows = decode_reply(require_ok(reply), kind)
            fresh = [row for row in rows if row.id not in seen]
            for row in fresh:
                seen.add(row.id)
                yield reply.request, row
            if len(rows) < STATEMENT_PAGE:
                return
            if not fresh:
                raise invalid(reply.request, "a page token repeats")
            parameters["page_token"] = rows[-1].id
