"""Owns what the account's statement says of deposits and withdrawals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from algotrader.model import Activity, ActivityKind
from algotrader.model.units import ZERO

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Deposits:
    """Deposits less withdrawals in dollars; None if they cannot be known, as the warnings say."""

    amount: Decimal | None
    warnings: tuple[str, ...]


def net_deposits(
    statement: tuple[Activity, ...] | None,
    adjustments: Decimal,
    previous_close: datetime,
    now: datetime,
) -> Deposits:
    """Tell the deposits since a close, by the statement and by the account's own figure.

    Parameters
    ----------
    statement : tuple of Activity or None
        None if it could not be read: then the account's figure stands alone.
    adjustments : Decimal
        What the account itself says; brokers that keep no such figure say 0.
    """
    if statement is None:
        warning = (
            "The broker's statement could not be read: deposits and withdrawals of the day are "
            f"taken to be {adjustments:.2f}, as the account says, and dividends to be none."
        )
        return Deposits(adjustments, (warning,))
    rows = [each for each in statement if _is_since(each, previous_close, now)]
    moved = sorted({each.symbol or "?" for each in rows if each.kind is ActivityKind.SHARE_FLOW})
    if moved:
        warning = (
            f"Shares were moved to or from the account ({', '.join(moved)}): what they are worth "
            "is no profit and not told, so that the account's profit of the day is unknown."
        )
        return Deposits(None, (warning,))
    listed = sum((each.amount for each in rows if each.kind is ActivityKind.CASH_FLOW), ZERO)
    undated = [each.amount for each in statement if _is_of_the_close(each, previous_close)]
    if undated and adjustments and abs(adjustments - listed - sum(undated)) < _CENT:
        return Deposits(adjustments, ())
    if undated and not adjustments:
        amounts = ", ".join(f"{each:.2f}" for each in undated)
        warning = (
            f"The statement dates deposits or withdrawals ({amounts}) to the day of the previous "
            "close, before or after it: the account's profit of the day is unknown."
        )
        return Deposits(None, (warning,))
    if adjustments and abs(adjustments - listed) >= _CENT:
        warning = (
            f"The account says {adjustments:.2f} of deposits less withdrawals, its statement "
            f"{listed:.2f}: the account's profit of the day is unknown."
        )
        return Deposits(None, (warning,))
    return Deposits(listed, ())


def _is_of_the_close(row: Activity, previous_close: datetime) -> bool:
    """Whether money came or went on the close's own day, and nothing says at what time."""
    return (
        row.kind is ActivityKind.CASH_FLOW and row.at is None and row.day == previous_close.date()
    )


def _is_since(row: Activity, previous_close: datetime, now: datetime) -> bool:
    if row.at is not None:
        return previous_close < row.at <= now + timedelta(minutes=1)
    return row.day > previous_close.date()
