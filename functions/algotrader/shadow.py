"""Owns a shadow's decision: what another strategy would do now, in a form that nobody can send."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from algotrader.decision import decide
from algotrader.errors import DeskError
from algotrader.ids import desk_id
from algotrader.model import (
    Decision,
    Features,
    Leg,
    OrderIntent,
    Run,
    Settings,
    Snapshot,
    StopWish,
)
from algotrader.strategy import Strategy

# A sentence or two: it travels in the state machine's state, and is read in an e-mail.
MAX_ERROR_CHARACTERS = 600


def decide_as_shadow(
    run: Run, settings: Settings, snapshot: Snapshot, features: Features, strategy: Strategy
) -> Decision:
    """Decide what a strategy would do today with what the desk holds today.

    Parameters
    ----------
    settings : Settings
        The desk's own, but for the strategy's name and parameters: a shadow obeys the same limits.

    Returns
    -------
    Decision
        As `decide` gives it, with names in the place of client order ids that are none, and
        without cancels, which are the live run's business.

    Raises
    ------
    StrategyError, InsufficientHistoryError
        As `decide` does.
    """
    # A desk of its own, so that not even on the way an id of the live desk is spelled.
    desk = desk_id(snapshot.account.number, settings.stack, f"shadow {settings.strategy}")
    decision = decide(replace(run, desk=desk), settings, snapshot, features, strategy)
    unnamed: dict[str, Any] = {
        each.name: tuple(map(_unnamed, getattr(decision, each.name)))
        for each in fields(decision)
        if isinstance(getattr(decision, each.name), tuple)
    }
    return replace(decision, **unnamed | {"cancels": (), "filled_before": {}})


def _unnamed(value: object) -> object:
    """Take the client order id from what has one."""
    if isinstance(value, StopWish):
        return replace(value, client_order_id=f"shadow-{value.symbol}-{Leg.STOP.value}")
    if isinstance(value, OrderIntent):
        return replace(value, client_order_id=f"shadow-{value.symbol}-{value.leg.value}")
    return value


def said(error: BaseException) -> str:
    """Say why a shadow did not decide, in words that are about it and not about the live run."""
    if not isinstance(error, DeskError):
        return f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS]
    advice = error.advice.removeprefix("Nothing was traded: ")
    for live in ("StrategyParameters", "template's Strategy "):
        advice = advice.replace(live, live.replace("Strategy", "ShadowStrategy"))
    told = str(error).removesuffix(error.advice)
    return f"{told}{advice[:1].upper()}{advice[1:]}"[:MAX_ERROR_CHARACTERS]
