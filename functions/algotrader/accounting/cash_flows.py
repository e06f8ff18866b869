"""Owns the account's deposits and withdrawals, and the check of its cash against its statement."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from algotrader.model import Account, Activity, ActivityKind, CashLook, Fill
from algotrader.model.units import CENT, ZERO
from algotrader.session.trigger import NEW_YORK

#: A run lists activities from this long before the last look, to include rows from the same moment.
LOOK_MARGIN = timedelta(minutes=1)
#: The desk remembers two periods without a match as one if they are this close together. No profit
#: in a message goes back further.
_REMEMBERED = timedelta(days=14)
_EQUITY_HOUR = 16
_ROUNDING = Decimal("0.005")  # the broker may round the cash of each activity to a cent


class Deposits(Struct, frozen=True):
    """Deposits less withdrawals in dollars, or None if unknown; ``problem`` then says why."""

    amount: Decimal | None
    problem: str = ""


class CashCheck(Struct, frozen=True):
    """The result of a check of the account's cash.

    Attributes
    ----------
    look : CashLook or None
        The cash with which the next run's check starts, or None if no run has read it.
    problem : str
        Why the cash is unproven since the last look, or an empty string if it matches.
    has_read : bool
        Whether this run could read what the check needs; if not, ``look`` is the last run's.
    """

    look: CashLook | None
    problem: str = ""
    has_read: bool = True

    def why_unproven(self, after: datetime, until: datetime) -> str:
        """Return why the cash is unproven in a period, or an empty string if it is proven."""
        look = self.look
        if self.problem and (look is None or (not self.has_read and until > look.at)):
            return self.problem
        if look is None or look.unproven_after is None or look.unproven_until is None:
            return ""
        if until <= look.unproven_after or look.unproven_until <= after:
            return ""
        return self.problem or (
            f"Until {look.unproven_until:%Y-%m-%d %H:%M} UTC the account's cash did not match its "
            "fills and its statement."
        )


class _Event(Struct, frozen=True):
    activity_id: str
    amount: Decimal
    day: date
    at: datetime | None

    def is_since(self, look_at: datetime) -> bool:
        if self.at is None:
            return self.day >= look_at.date()
        return self.at > look_at - LOOK_MARGIN


def check_cash(
    last: CashLook | None,
    account: Account,
    now: datetime,
    statement: tuple[Activity, ...] | None,
    fills: tuple[Fill, ...] | None,
) -> CashCheck:
    """Check that fills and statement since the last look add up to the account's cash.

    The first look has nothing to check. A row of the statement counts when the broker created it,
    so a row that the broker adds later with an earlier date does not explain the cash.

    Parameters
    ----------
    account : Account
        Read after the statement and the fills, so that both contain all that its cash contains.
    statement, fills : tuple or None
        Everything since `LOOK_MARGIN` before the last look, or None if unreadable; the last look
        then remains.
    """
    if statement is None or fills is None:
        what = "statement" if statement is None else "list of fills"
        return CashCheck(last, f"The broker's {what} could not be read.", has_read=False)
    events = [
        *(_Event(each.activity_id, each.amount, each.day, each.at) for each in statement),
        *(_Event(each.activity_id, each.amount, each.at.date(), each.at) for each in fills),
    ]
    look = CashLook(
        at=now,
        cash=account.cash,
        pending_fees=account.pending_fees,
        seen=tuple(sorted(each.activity_id for each in events if each.is_since(now))),
    )
    if last is None:
        return CashCheck(look)
    look = replace(look, unproven_after=last.unproven_after, unproven_until=last.unproven_until)
    new = [e.amount for e in events if e.is_since(last.at) and e.activity_id not in last.seen]
    expected = last.cash + sum(new, ZERO)
    fees = last.pending_fees + account.pending_fees
    if abs(account.cash - expected) <= fees + CENT + _ROUNDING * len(new):
        return CashCheck(look)
    since = last.at
    if last.unproven_after is not None and last.unproven_after > now - _REMEMBERED:
        since = last.unproven_after
    problem = (
        f"The account's cash is {account.cash:.2f}, but its fills and its statement since "
        f"{last.at:%Y-%m-%d %H:%M} UTC add up to {expected:.2f}."
    )
    return CashCheck(replace(look, unproven_after=since, unproven_until=now), problem)


def deposits_since_close(
    statement: tuple[Activity, ...], adjustments: Decimal, close: datetime, now: datetime
) -> Deposits:
    """Compute the net deposits from a close until now.

    Parameters
    ----------
    adjustments : Decimal
        The account's own figure for today; 0 if the broker has none. It may contain dividends,
        interest and fees.
    """
    late = [each for each in statement if each.at is not None and each.at > now]
    if any(_moves_value(each) for each in late):
        return Deposits(None, "Money or shares moved while this run was reading the account.")
    unclear = [each for each in statement if _is_unclear(each, close)]
    rows = [each for each in _rows(statement, close, now) if each not in unclear]
    found = _sum(rows, [each for each in unclear if not _is_flow(each)])
    if found.amount is None:
        return found
    flows = [each.amount for each in unclear if _is_flow(each)]
    undated = sum(flows, ZERO)
    if flows and (not adjustments or not undated):
        return _sum(rows, unclear)
    if not adjustments:
        return found
    # The account's own figure decides on which side of the close undated rows lie.
    others = sum((each.amount for each in rows if not _is_flow(each)), ZERO)
    for since in dict.fromkeys((ZERO, undated)):
        if any(_is_equal(adjustments, found.amount + since + each) for each in (ZERO, others)):
            return Deposits(found.amount + since)
    return Deposits(
        None,
        f"The account reports net deposits of {adjustments:.2f}, but its statement lists "
        f"{found.amount:.2f}.",
    )


def deposits_between_closes(
    statement: tuple[Activity, ...], listed: Decimal | None, before: datetime, close: datetime
) -> Deposits:
    """Compute the net deposits between two successive closes.

    Parameters
    ----------
    listed : Decimal or None
        The broker's own figure in the history of the account's equity, or None if it has none.
    """
    unclear = [each for each in statement if _is_unclear(each, before) or _is_unclear(each, close)]
    rows = [each for each in _rows(statement, before, close) if each not in unclear]
    found = _sum(rows, unclear)
    if found.amount is None or listed is None or _is_equal(listed, found.amount):
        return found
    return Deposits(
        None,
        f"The broker's history of equity counts net deposits of {listed:.2f}, but the statement "
        f"lists {found.amount:.2f}.",
    )


def _rows(statement: tuple[Activity, ...], after: datetime, until: datetime) -> list[Activity]:
    return [
        each
        for each in statement
        if (
            after < each.at <= until
            if each.at is not None
            else after.date() < each.day <= until.date()
        )
    ]


def _is_unclear(row: Activity, close: datetime) -> bool:
    """Whether a row may lie on either side of the broker's equity at a close.

    Alpaca's last equity is as of 16:00 in New York, even if the session closed earlier.
    """
    if row.at is None:
        return row.day == close.date()
    return close < row.at <= close.astimezone(NEW_YORK).replace(hour=_EQUITY_HOUR, minute=0)


def _sum(rows: list[Activity], unclear: list[Activity]) -> Deposits:
    """Sum the deposits; ``unclear`` rows may lie on either side of a close."""
    unknown = [each for each in (*rows, *unclear) if _moves_value(each) and not _is_flow(each)]
    if unknown:
        names = ", ".join(
            dict.fromkeys(f"{each.description} {each.symbol}".rstrip() for each in unknown)
        )
        return Deposits(None, f"The broker does not report how this changes the profit: {names}.")
    flows = [each for each in unclear if _is_flow(each)]
    if flows:
        amounts = ", ".join(f"{each.amount:.2f}" for each in flows)
        return Deposits(
            None,
            f"The statement does not say whether deposits or withdrawals ({amounts}) came before "
            "or after a close.",
        )
    return Deposits(sum((each.amount for each in rows if _is_flow(each)), ZERO))


def _is_flow(row: Activity) -> bool:
    return row.kind is ActivityKind.CASH_FLOW


def _moves_value(row: Activity) -> bool:
    """Whether a row moves value that is not profit, or might not be."""
    return row.kind in {ActivityKind.CASH_FLOW, ActivityKind.SHARE_FLOW, ActivityKind.OTHER}


def _is_equal(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) < CENT
