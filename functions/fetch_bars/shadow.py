"""Owns the bars of the shadow: how many it needs, and where they come from without the live run
noticing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
from msgspec import Struct

from algotrader.adapters.apart import apart, why
from algotrader.adapters.artifacts import Artifacts
from algotrader.adapters.shadow import bars_needed, taken_on
from algotrader.contracts import BarColumns, Shadow
from algotrader.history import usable_bars
from algotrader.model import Bar, Run, Settings
from fetch_bars.opening import Opening, read_calendar

#: It loads one file; what is left of the function's Timeout is the live run's.
SECONDS = 10.0

Columns = dict[str, BarColumns]


class ShadowBars(Struct, frozen=True):
    """``shadow.json``: which strategy is the shadow, and what its decision rests on.

    ``bars`` is null when ``bars.json`` holds enough, ``error`` says why there are none at all.
    """

    strategy: str
    parameters: str
    bars: Columns | None = None
    error: str = ""


def shadow_of(opening: Opening, artifacts: Artifacts) -> Shadow:
    """Gather the shadow's bars, once all that the live run needs is there; it never raises.

    They are asked for anew, and go their own way: the live strategy sees what it would see without.
    """
    settings = opening.settings
    found = ShadowBars(settings.shadow_strategy, settings.shadow_strategy_parameters)
    try:
        found = msgspec.structs.replace(found, bars=_bars(opening))
    except Exception as error:  # noqa: BLE001 - a shadow ends no run
        found = msgspec.structs.replace(found, error=why(error))

    def kept(_: Shadow) -> Shadow:
        artifacts.write(_key(opening.run), found)
        return _handed_on(opening.run, artifacts, found)

    return taken_on(Shadow(found.strategy), kept)


def shadow_again(run: Run, settings: Settings, artifacts: Artifacts) -> Shadow:
    """Take what an earlier execution of the run had gathered for the shadow; it never raises."""

    def again(shadow: Shadow) -> Shadow:
        found = artifacts.read(_key(run), ShadowBars)
        if found is None:
            return msgspec.structs.replace(shadow, error="the earlier execution kept no bars of it")
        return _handed_on(run, artifacts, found)

    return taken_on(Shadow(settings.shadow_strategy), again)


def _bars(opening: Opening) -> Columns | None:
    """Give the bars of every symbol; None when the live run has as many as it needs."""
    settings = opening.settings
    need = apart(bars_needed, settings, SECONDS)
    if need <= opening.demand.bars:
        return None
    demand = replace(opening.demand, bars=need)
    sessions = read_calendar(opening.broker, opening.clock, demand)
    completed = [each.date for each in sessions if each.date < opening.rung.session.date]
    completed = completed[-demand.sessions :]
    found: Mapping[str, tuple[Bar, ...]] = opening.broker.bars(
        settings.symbols, completed[0], completed[-1], settings.bars_feed, settings.adjustment
    )
    usable = usable_bars(found, settings.symbols, completed, demand)
    return {name: BarColumns.from_bars(each) for name, each in usable.items()}


def _handed_on(run: Run, artifacts: Artifacts, found: ShadowBars) -> Shadow:
    return Shadow(
        found.strategy,
        bars=None if found.bars is None else artifacts.put(run, "shadow-bars", found.bars),
        error=found.error,
    )


def _key(run: Run) -> str:
    return f"{run.journal}shadow.json"
