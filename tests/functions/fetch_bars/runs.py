"""Owns how the tests of Fetch Bars look at what a run gave, and let one fail."""

from __future__ import annotations

from algotrader.adapters.claim import Claim
from algotrader.contracts import BarColumns, FetchBarsResult, canonical_json
from algotrader.model import Run, Snapshot
from tests.functions.fetch_bars.conftest import ARN, World

JOURNAL = "runs/2026-01-06/2026-01-06-day/"
OTHER_ARN = ARN + "-other"


def snapshot_of(world: World, result: FetchBarsResult) -> Snapshot:
    assert result.snapshot is not None
    return world.artifacts.get(result.snapshot, Snapshot)


def bars_of(world: World, result: FetchBarsResult) -> dict[str, BarColumns]:
    assert result.bars is not None
    return world.artifacts.get(result.bars, dict[str, BarColumns])


def handed_on(result: FetchBarsResult) -> bytes:
    """Spell what the next step is given, as Step Functions carries it."""
    return canonical_json((result.snapshot, result.bars))


def run_of(result: FetchBarsResult) -> Run:
    assert result.run is not None
    return result.run


def claim_of(world: World) -> Claim | None:
    return world.artifacts.read(f"{JOURNAL}claim.json", Claim)


def fail(world: World) -> None:
    claim = claim_of(world)
    assert claim is not None
    world.artifacts.write(f"{JOURNAL}claim.json", Claim(claim.execution_arn, "failed", claim.at))
