"""Owns the check that a live desk is armed with an unexpired token from its user."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

#: The e-mail warns during this last part of an arming.
WARNED = timedelta(days=7)


class ArmingToken(Struct, frozen=True):
    """The token that ``algo-trader arm`` writes.

    Attributes
    ----------
    account : str
        Number of the armed account.
    deployed_at : datetime
        When the stack was last deployed before the arming.
    """

    account: str
    expires_at: datetime
    deployed_at: datetime


class Arming(Struct, frozen=True):
    """A live desk's permission to trade.

    Attributes
    ----------
    until : datetime or None
        When the arming ends, or None if the desk is not armed.
    problem : str
        What to do, then why the desk is not armed, or an empty string if it is armed.
    """

    until: datetime | None
    problem: str


def arming_problem(why: str) -> Arming:
    """Build the state of an unarmed desk, with the command first in case an SMS is cut."""
    return Arming(None, f"run algo-trader arm: {why}")


def check_token(token: ArmingToken, account: str, deployed_at: datetime, now: datetime) -> Arming:
    """Check a token against the account, the deployed stack and the broker's clock."""
    if token.account != account:
        return arming_problem("another account was armed")
    if token.deployed_at != deployed_at:
        return arming_problem(f"the stack was deployed again on {deployed_at.isoformat()}")
    if token.expires_at <= now:
        return arming_problem(f"the permission ended on {token.expires_at.isoformat()}")
    return Arming(token.expires_at, "")


def warnings_of(arming: Arming | None, now: datetime) -> tuple[str, ...]:
    """Warn when an arming is about to end."""
    if arming is None or arming.until is None or arming.until - now > WARNED:
        return ()
    until = arming.until.isoformat()
    return (f"The live desk is armed until {until} and halted after that: run algo-trader arm.",)
