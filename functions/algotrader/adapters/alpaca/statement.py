"""Owns the account's statement: deposits, withdrawals, dividends, everything except trades."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from algotrader import model
from algotrader.adapters.alpaca import wire
from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.faults import require_ok
from algotrader.adapters.alpaca.reply import decode_reply, format_instant, invalid
from algotrader.errors import DeskError

STATEMENT_PAGE = 100
_CANCELED = "canceled"
#: What Alpaca's activity types mean for the books. All other types move only money that counts as
#: profit or loss: dividends, the taxes and fees on them (``DIV...``), interest and fees.
_CASH_FLOWS = frozenset({"CSD", "CSW", "TRANS", "JNL", "JNLC", "ACATC", "OCT"})
_SHARE_FLOWS = {
    "ACATS": "transfer to or from another broker",
    "FOPT": "free-of-payment transfer",
    "JNLS": "journal of shares",
}
_SHARE_CHANGES = {
    "MA": "merger or acquisition",
    "NC": "name change",
    "OPASN": "option assignment",
    "OPEXC": "option exercise",
    "OPTRD": "option trade",
    "REO": "reorganization",
    "REORG": "worthless removal",
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
        amount = self.net_amount or Decimal(0)
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


def _kind_of(activity_type: str) -> model.ActivityKind:
    if activity_type in _CASH_FLOWS:
        return model.ActivityKind.CASH_FLOW
    if activity_type in _SHARE_FLOWS:
        return model.ActivityKind.SHARE_FLOW
    if activity_type in _SHARE_CHANGES:
        return model.ActivityKind.SHARE_CHANGE
    if activity_type.startswith("DIV") or activity_type == "CGD":
        return model.ActivityKind.DIVIDEND
    return model.ActivityKind.OTHER


class Statement:
    """The methods of `algotrader.broker.Broker` about the account's statement."""

    def __init__(self, client: AlpacaClient) -> None:
        self._client = client

    def statement(self, after: datetime) -> tuple[model.Activity, ...] | None:
        """Read all activities after an instant except trades; None if any is unreadable."""
        try:
            return self._rows(after)
        except (DeskError, ArithmeticError, ValueError, OSError):
            return None

    def _rows(self, after: datetime) -> tuple[model.Activity, ...]:
        found: dict[str, model.Activity | None] = {}
        parameters: dict[str, str | int] = {
            "category": "non_trade_activity",
            "after": format_instant(after),
            "direction": "asc",
            "page_size": STATEMENT_PAGE,
        }
        while True:
            reply = self._client.read("/account/activities", parameters)
            rows = decode_reply(require_ok(reply), list[Row])
            fresh = [row for row in rows if row.id not in found]
            for row in fresh:
                is_off = row.status == _CANCELED
                found[row.id] = None if is_off else row.to_model(reply.request)
            if len(rows) < STATEMENT_PAGE:
                return tuple(each for each in found.values() if each is not None)
            if not fresh:
                raise invalid(reply.request, "a page token repeats")
            parameters["page_token"] = rows[-1].id
