"""Owns the features of the shadow, computed once the live ones are there."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.apart import apart
from algotrader.adapters.artifacts import Artifacts
from algotrader.adapters.shadow import load_shadow, taken_on
from algotrader.adapters.strategy_files import StrategyFiles
from algotrader.contracts import BarColumns, ComputeIndicatorsEvent, Shadow
from algotrader.model import Features, Settings

#: The most that it may take, and what of the function's Timeout it leaves to the live run.
SECONDS, SPARE_SECONDS = 60.0, 15.0


class Given(Struct, frozen=True):
    """What the shadow's features are computed from."""

    settings: Settings
    bars: dict[str, BarColumns]


def features_of(given: Given) -> Features:
    """Compute what the shadow's strategy asks for."""
    strategy = load_shadow(given.settings)
    # pandas for one that loads, and not before
    from algotrader.adapters.indicators import compute  # noqa: PLC0415

    return compute(given.bars, strategy, StrategyFiles(os.environ["BUCKET"]))


def computed(
    event: ComputeIndicatorsEvent,
    shadow: Shadow,
    live_bars: Mapping[str, BarColumns],
    artifacts: Artifacts,
    seconds_left: float,
) -> Shadow:
    """Take the shadow from bars to features; it never raises.

    Parameters
    ----------
    live_bars : mapping of str to BarColumns
        What the live strategy saw; a shadow without bars of its own needs no more.
    seconds_left : float
        Until the function's Timeout.
    """

    def step(shadow: Shadow) -> Shadow:
        bars = dict(live_bars)
        if shadow.bars is not None:
            bars = artifacts.get(shadow.bars, dict[str, BarColumns])
        seconds = min(SECONDS, seconds_left - SPARE_SECONDS)
        features = apart(features_of, Given(event.settings, bars), seconds)
        # its bars have done their work, and the state stays small
        kept = artifacts.put(event.run, "shadow-features", features)
        return replace(shadow, bars=None, features=kept)

    return taken_on(shadow, step)
