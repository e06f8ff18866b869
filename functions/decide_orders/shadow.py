"""Owns the decision of the shadow, taken once the live one is handed on."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.apart import apart
from algotrader.adapters.artifacts import Artifacts
from algotrader.adapters.shadow import as_shadow, load_shadow, taken_on
from algotrader.contracts import DecideOrdersEvent, Shadow
from algotrader.model import Decision, Features, Run, Settings, Snapshot
from algotrader.shadow import decide_as_shadow

#: The most that it may take, and what of the function's Timeout it leaves to the live run.
SECONDS, SPARE_SECONDS = 20.0, 15.0


class Given(Struct, frozen=True):
    """What the shadow decides by."""

    run: Run
    settings: Settings
    snapshot: Snapshot
    features: Features


def decision_of(given: Given) -> Decision:
    """Decide as the shadow."""
    return decide_as_shadow(
        given.run,
        as_shadow(given.settings),
        given.snapshot,
        given.features,
        load_shadow(given.settings),
    )


def decided(
    event: DecideOrdersEvent,
    shadow: Shadow,
    snapshot: Snapshot,
    artifacts: Artifacts,
    seconds_left: float,
) -> Shadow:
    """Take the shadow from features to its decision; it never raises.

    Parameters
    ----------
    seconds_left : float
        Until the function's Timeout.
    """

    def step(shadow: Shadow) -> Shadow:
        if shadow.features is None:
            return shadow
        features = artifacts.get(shadow.features, Features)
        given = Given(event.run, event.settings, snapshot, features)
        seconds = min(SECONDS, seconds_left - SPARE_SECONDS)
        decision = apart(decision_of, given, seconds)
        return replace(shadow, decision=artifacts.put(event.run, "shadow-decided", decision))

    return taken_on(shadow, step)
