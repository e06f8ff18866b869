"""Owns how a run measures the account's profit: change in equity less deposits.

An unknown figure is None, and a warning says why. Nothing here stops a run.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from algotrader.accounting.cash_flows import (
    LOOK_MARGIN,
    CashCheck,
    Deposits,
    check_cash,
    deposits_between_closes,
    deposits_since_close,
)
from algotrader.errors import DeskError
from algotrader.model import Activity, CashLook
from algotrader.session.trigger import NEW_YORK
from fetch_bars.opening import Opening


class AccountProfit(Struct, frozen=True):
    """The account's profit, without deposits and withdrawals, or None for an unknown figure.

    Attributes
    ----------
    last_session : Decimal or None
        In the previous session, from close to close.
    since_close, deposits : Decimal or None
        Profit, and deposits less withdrawals, since the previous session's close.
    close_equity : Decimal or None
        Equity at that close.
    cash : CashLook or None
        The cash from which the next run's check starts.
    warnings : tuple of str
        Why a figure is unknown.
    """

    last_session: Decimal | None
    since_close: Decimal | None
    deposits: Decimal | None
    close_equity: Decimal | None
    cash: CashLook | None
    warnings: tuple[str, ...]


class _Profit(Struct, frozen=True):
    amount: Decimal | None
    deposits: Decimal | None = None
    base: Decimal | None = None
    problem: str = ""


def account_profit(
    opening: Opening, statement: tuple[Activity, ...] | None, last: CashLook | None
) -> AccountProfit:
    """Measure the account's profit in the previous session and since its close.

    Parameters
    ----------
    statement : tuple of Activity or None
        Starts before the previous session and at least `LOOK_MARGIN` before the last look; None if
        it could not be read.
    last : CashLook or None
        The account's cash at the last run that stored it.
    """
    check = _check(opening, statement, last)
    if statement is None:
        figures = [_Profit(None, problem=check.problem)] * 2
    else:
        figures = [
            _last_session(opening, statement, check),
            _since_close(opening, statement, check),
        ]
    last_session, since_close = figures
    problems: dict[str, list[str]] = {}
    for each, period in ((last_session, "in the last session"), (since_close, "since its close")):
        if each.problem:
            problems.setdefault(each.problem, []).append(period)
    return AccountProfit(
        last_session=last_session.amount,
        since_close=since_close.amount,
        deposits=since_close.deposits,
        close_equity=since_close.base,
        cash=check.look,
        warnings=tuple(
            f"{problem} So the account's profit {' and '.join(periods)} is unknown."
            for problem, periods in problems.items()
        ),
    )


def _check(
    opening: Opening, statement: tuple[Activity, ...] | None, last: CashLook | None
) -> CashCheck:
    """Check the account's cash, read again after the statement and the fills."""
    now = opening.clock.now
    try:
        since = now if last is None else min(last.at, now)
        fills = opening.broker.fills(since - LOOK_MARGIN)
        account = opening.broker.account()
    except DeskError:
        fills, account = None, opening.account
    return check_cash(last, account, now, statement, fills)


def _last_session(opening: Opening, statement: tuple[Activity, ...], check: CashCheck) -> _Profit:
    opened = opening.opened
    if opened.before_previous is None:
        return _Profit(None)
    return _of_session(opening, statement, check, opened.previous_session, opened.before_previous)


def _since_close(opening: Opening, statement: tuple[Activity, ...], check: CashCheck) -> _Profit:
    opened, account, now = opening.opened, opening.account, opening.clock.now
    is_todays = now.astimezone(NEW_YORK).date() == opened.session.date
    # The broker's last equity may already be this session's, so compare its day.
    is_last = account.last_equity_on in (None, opened.previous_session)
    if not is_todays or (not is_last and now >= opened.session.close):
        return _of_session(opening, statement, check, opened.session.date, opened.previous_session)
    if not is_last:
        return _Profit(
            None,
            problem=f"The broker's last equity is that of {account.last_equity_on}, not that of "
            f"{opened.previous_session}.",
        )
    problem = check.why_unproven(opened.previous_close, now)
    if problem:
        return _Profit(None, problem=problem)
    found = deposits_since_close(statement, account.adjustments, opened.previous_close, now)
    return _profit(account.last_equity, account.equity, found)


def _of_session(
    opening: Opening,
    statement: tuple[Activity, ...],
    check: CashCheck,
    session: date,
    before: date,
) -> _Profit:
    """Return a session's profit, from the broker's history of the account's equity."""
    closes = {each.date: each.close for each in (*opening.completed, opening.opened.session)}
    after, until = closes[before], closes[session]
    problem = check.why_unproven(after, until)
    if problem:
        return _Profit(None, problem=problem)
    equity = opening.broker.session_equity(session, before)
    if equity is None:
        return _Profit(
            None,
            problem="The broker's history does not report the account's equity at the closes of "
            f"{before} and {session}.",
        )
    found = deposits_between_closes(statement, equity.cash_flows, after, until)
    return _profit(equity.before, equity.after, found)


def _profit(before: Decimal, after: Decimal, found: Deposits) -> _Profit:
    if found.amount is None:
        return _Profit(None, problem=found.problem)
    return _Profit(after - before - found.amount, found.amount, before)
