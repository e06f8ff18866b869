"""Owns the deposits and withdrawals in the account's statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from algotrader.model import Activity, ActivityKind
from algotrader.model.units import CENT, ZERO


@dataclass(frozen=True, slots=True)
class Deposits:
    """Net deposits in dollars; None if unknown, with the reason in ``warnings``."""

    amount: Decimal | None
    warnings: tuple[str, ...]


def net_deposits(
    statement: tuple[Activity, ...] | None,
    adjustments: Decimal,
    previous_close: datetime,
    now: datetime,
) -> Deposits:
    """Compute the net deposits since a close, from the statement and the account's own figure.

    Parameters
    ----------
    statement : tuple of Activity or None
        None if it could not be read; then only the account's figure counts.
    adjustments : Decimal
        The account's own figure; 0 if the broker has none.
    """
    if statement is None:
        warning = (
            "The broker's statement could not be read. The report uses the account's own "
            f"figure, {adjustments:.2f}, for net deposits, and counts no dividends."
        )
        return Deposits(adjustments, (warning,))
    rows = [each for each in statement if _is_since(each, previous_close, now)]
    moved = sorted({each.symbol or "?" for each in rows if each.kind is ActivityKind.SHARE_FLOW})
    if moved:
        warning = (
            f"Shares were moved to or from the account ({', '.join(moved)}). The broker does not "
            "report their value, so the account's profit for the day is unknown."
        )
        return Deposits(None, (warning,))
    listed = sum((each.amount for each in rows if each.kind is ActivityKind.CASH_FLOW), ZERO)
    undated = [each.amount for each in statement if _is_of_the_close(each, previous_close)]
    if undated and adjustments and abs(adjustments - listed - sum(undated)) < CENT:
        return Deposits(adjustments, ())
    if undated and not adjustments:
        amounts = ", ".join(f"{each:.2f}" for each in undated)
        warning = (
            f"The statement does not say whether deposits or withdrawals ({amounts}) came before "
            "or after the previous close. So the account's profit for the day is unknown."
        )
        return Deposits(None, (warning,))
    if adjustments and abs(adjustments - listed) >= CENT:
        warning = (
            f"The account reports net deposits of {adjustments:.2f}, but its statement lists "
            f"{listed:.2f}. So the account's profit for the day is unknown."
        )
        return Deposits(None, (warning,))
    return Deposits(listed, ())


def _is_of_the_close(row: Activity, previous_close: datetime) -> bool:
    """Whether money moved on the day of the close, at an unknown time."""
    return (
        row.kind is ActivityKind.CASH_FLOW and row.at is None and row.day == previous_close.date()
    )


def _is_since(row: Activity, previous_close: datetime, now: datetime) -> bool:
    if row.at is not None:
        return previous_close < row.at <= now + timedelta(minutes=1)
    return row.day > previous_close.date()
