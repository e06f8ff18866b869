"""Owns the check that a live desk is armed, by a token from its user that expires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: This long before an arming ends, the e-mail begins to say so.
WARNED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ArmingToken:
    """The token that ``algo-trader arm`` writes.

    Attributes
    ----------
    account : str
        Number of the account that was armed.
    deployed_at : datetime
        When the stack was last deployed, at the arming.
    """

    account: str
    expires_at: datetime
    deployed_at: datetime


@dataclass(frozen=True, slots=True)
class Arming:
    """Whether a live desk may trade.

    Attributes
    ----------
    until : datetime or None
        When the arming ends; None if there is none.
    problem : str
        Why the desk is not armed, beginning with what to do; empty if it is.
    """

    until: datetime | None
    problem: str


def arming_problem(why: str) -> Arming:
    """Build the state of an unarmed desk: the command first, since an SMS may cut the rest."""
    return Arming(None, f"run algo-trader arm: {why}")


def check_token(token: ArmingToken, account: str, deployed_at: datetime, now: datetime) -> Arming:
    """Check a token against the account, the deployed stack and the broker's clock."""
    if token.account != account:
        return arming_problem("another account was armed")
    if token.deployed_at != deployed_at:
        return arming_problem(f"the stack was deployed since, on {deployed_at.isoformat()}")
    if token.expires_at <= now:
        return arming_problem(f"it ended on {token.expires_at.isoformat()}")
    return Arming(token.expires_at, "")


def warnings_of(arming: Arming | None, now: datetime) -> tuple[str, ...]:
    """Warn when an arming is about to end."""
    if arming is None or arming.until is None or arming.until - now > WARNED:
        return ()
    until = arming.until.isoformat()
    return (f"The live desk is armed until {until} and halted after that: run algo-trader arm.",)
