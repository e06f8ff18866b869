"""A shadow gets the bars that it needs; the live run gets what it would get without one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import structs

from algotrader.contracts import BarColumns, FetchBarsResult, Shadow, canonical_json, encode
from fetch_bars.shadow import ShadowBars
from tests.functions.algotrader.adapters.scripted_broker import Answer, Seen
from tests.functions.fetch_bars.conftest import World
from tests.support.shadows import SOUND, UNLOADED

JOURNAL = "runs/2026-01-06/2026-01-06-day/"
DRY = {"dry_run": True}
DRY_JOURNAL = f"{JOURNAL}dry-run/one/"
LONG = '{"window": 30}'  # 32 bars, where the live strategy needs six

pytestmark = pytest.mark.usefixtures("shadows")


def cast(world: World, name: str, parameters: str = "{}") -> None:
    world.environ |= {"SHADOW_STRATEGY": name, "SHADOW_STRATEGY_PARAMETERS": parameters}


def shadow_of(result: FetchBarsResult) -> Shadow:
    assert result.outcome == "OPEN"
    assert result.shadow is not None
    return result.shadow


def without_shadow(result: FetchBarsResult) -> bytes:
    """Spell all that the live run goes on with."""
    plain = encode(structs.replace(result, shadow=None))
    for name in ("shadow_strategy", "shadow_strategy_parameters"):
        del plain["settings"][name]
    return canonical_json(plain)


def test_without_one_there_is_none(world: World) -> None:
    assert world.run().shadow is None
    assert f"{JOURNAL}shadow.json" not in world.stored()


def test_one_that_needs_no_more_bars_gets_none_of_its_own(world: World) -> None:
    cast(world, "one_symbol")
    asked = len([each for each in world.server.requests if each.path == "/v2/stocks/bars"])
    assert shadow_of(world.run()) == Shadow("one_symbol")
    bars = [each for each in world.server.requests if each.path == "/v2/stocks/bars"]
    assert len(bars) == asked + 1


def test_one_that_needs_more_bars_gets_as_many_as_it_needs(world: World) -> None:
    cast(world, "momentum_rotation", LONG)
    result = world.run()
    artifact = shadow_of(result).bars
    assert artifact is not None
    bars = world.artifacts.get(artifact, dict[str, BarColumns])
    assert {name: len(each.session) for name, each in bars.items()} == {"AAPL": 32, "IBM": 32}
    assert bars["AAPL"].session[-1] == date(2026, 1, 5)
    live = world.artifacts.get(result.bars, dict[str, BarColumns])
    assert {name: len(each.session) for name, each in live.items()} == {"AAPL": 6, "IBM": 6}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        *((name, "{}") for name in (*SOUND, *UNLOADED, "hangs", "meddles")),
        ("momentum_rotation", LONG),
        ("momentum_rotation", "{}"),
        ("nobody", "{}"),
        ("../momentum_rotation", "{}"),
        ("sma_cross", "{"),
        ("sma_cross", '{"fats": 3}'),
    ],
)
def test_the_live_run_is_the_same_to_the_byte_whatever_the_shadow_is(
    world: World, name: str, parameters: str
) -> None:
    plain = world.run(DRY)
    stored = {key: world.artifacts.read(key, Any) for key in world.stored()}
    cast(world, name, parameters)
    shadowed = world.run(DRY)
    assert without_shadow(shadowed) == without_shadow(plain)
    bars = f"{DRY_JOURNAL}bars.json"
    assert world.artifacts.read(bars, Any) == stored[bars]
    assert shadow_of(shadowed).strategy == name


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        *((name, "{}", words) for name, (_, words) in UNLOADED.items()),
        ("nobody", "{}", "STRATEGY_UNKNOWN: strategy=nobody. Set the template's ShadowStrategy to"),
        ("sma_cross", "{", "PARAMETER_INVALID: parameter=ShadowStrategyParameters. Deploy again"),
        ("sma_cross", '{"fats": 3}', "STRATEGY_PARAMETER_UNKNOWN"),
        ("sma_cross", '{"fast": 9, "slow": 3}', "STRATEGY_PARAMETER_INVALID"),
        ("momentum_rotation", "{}", "BARS_TOO_FEW: symbols=AAPL (has"),
    ],
)
def test_one_that_cannot_decide_is_told_with_the_reason(
    world: World, name: str, parameters: str, words: str
) -> None:
    cast(world, name, parameters)
    shadow = shadow_of(world.run())
    assert (shadow.strategy, shadow.bars) == (name, None)
    assert words in shadow.error
    kept = world.artifacts.read(f"{JOURNAL}shadow.json", ShadowBars)
    assert kept == ShadowBars(name, parameters, None, shadow.error)


def test_one_that_hangs_while_it_loads_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fetch_bars.shadow.SECONDS", 0.5)
    monkeypatch.setattr("fetch_bars.shadow.bars_needed", _sleeps)
    cast(world, "one_symbol")
    assert "took longer than" in shadow_of(world.run()).error


def _sleeps(settings: dict[str, Any]) -> int:
    import time  # noqa: PLC0415

    time.sleep(60)
    return len(settings)


def test_a_broker_that_refuses_its_bars_refuses_them_to_the_shadow_alone(world: World) -> None:
    cast(world, "momentum_rotation", LONG)

    def only_once(seen: Seen) -> Answer:
        world.server.on("GET /v2/stocks/bars", Answer(b"", 500))
        return world._bars(seen)

    world.server.on("GET /v2/stocks/bars", only_once)
    shadow = shadow_of(world.run())
    assert "BROKER" in shadow.error


def test_its_bars_are_asked_for_last(world: World) -> None:
    world.run(DRY)
    live = [(each.method, each.path, each.query) for each in world.server.requests]
    cast(world, "momentum_rotation", LONG)
    world.server.requests.clear()
    world.run(DRY)
    now = [(each.method, each.path, each.query) for each in world.server.requests]
    assert now[: len(live)] == live
    assert [path for _, path, _ in now[len(live) :]] == ["/v2/calendar", "/v2/stocks/bars"]


def test_a_journal_that_takes_no_shadow_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = world.artifacts.write

    def broken(key: str, value: object) -> None:
        if key.endswith("shadow.json"):
            raise ConnectionError(key)
        write(key, value)

    monkeypatch.setattr(world.artifacts, "write", broken)
    cast(world, "one_symbol")
    assert shadow_of(world.run()).error == f"ConnectionError: {JOURNAL}shadow.json"


def test_a_run_that_is_taken_over_has_the_bars_that_it_had(world: World) -> None:
    cast(world, "momentum_rotation", LONG)
    first = world.run()
    world.artifacts.write(f"{JOURNAL}decision.json", {"entries": []})
    world.bars["AAPL"].clear()
    assert world.run() == structs.replace(
        first, message="Run 2026-01-06-day goes on with the decision that it had taken."
    )


def test_a_run_that_is_taken_over_without_them_says_so(world: World) -> None:
    world.run()
    fetched = world.artifacts.read(f"{JOURNAL}fetched.json", dict[str, Any])
    assert fetched is not None
    fetched["settings"] |= {"shadow_strategy": "one_symbol"}
    world.artifacts.write(f"{JOURNAL}fetched.json", fetched)
    world.artifacts.write(f"{JOURNAL}decision.json", {"entries": []})
    assert "kept no bars" in shadow_of(world.run()).error
