"""The shadow's features are computed beside the live ones, and never in their place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from algotrader.adapters.artifacts import Artifacts
from algotrader.contracts import (
    Artifact,
    ComputeIndicatorsEvent,
    ComputeIndicatorsResult,
    Shadow,
    decode,
    encode,
)
from algotrader.model import Features
from compute_indicators.app import lambda_handler
from tests.functions.compute_indicators.test_app import ROTATION, RUN, bars
from tests.functions.conftest import BUCKET
from tests.support.lambda_context import LambdaContext
from tests.support.shadows import FEATURELESS, UNDECIDED, UNLOADED

pytestmark = pytest.mark.usefixtures("shadows")

AVERAGES = '{"fast": 3, "slow": 5}'


@pytest.fixture(autouse=True)
def bucket_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", BUCKET)


def handle(
    name: str = "", parameters: str = "{}", *, context: Any = None, **shadow: Any
) -> dict[str, Any]:
    under = replace(ROTATION, shadow_strategy=name, shadow_strategy_parameters=parameters)
    event = ComputeIndicatorsEvent(
        RUN,
        under,
        Artifact(inline=encode(bars())),
        Shadow(name, **shadow) if name else None,
    )
    answer: dict[str, Any] = lambda_handler(
        json.loads(json.dumps(encode(event))), context or LambdaContext()
    )
    return answer


def shadow_of(answer: dict[str, Any]) -> Shadow:
    shadow = decode(ComputeIndicatorsResult, answer, "the result").shadow
    assert shadow is not None
    return shadow


def test_without_one_there_is_none() -> None:
    assert handle()["shadow"] is None


def test_the_shadow_sees_the_live_bars_when_it_has_none_of_its_own() -> None:
    answer = handle("sma_cross", AVERAGES)
    shadow = shadow_of(answer)
    assert (shadow.error, shadow.decision) == ("", None)
    features = Artifacts(BUCKET).get(shadow.features, Features)
    closes = bars()["A"].close
    assert features.values["A"]["fast"].last == pytest.approx(sum(closes[-3:]) / 3, rel=1e-9)
    assert answer["features"] == handle()["features"]


def test_the_shadow_sees_its_own_bars_when_it_has_some_and_they_go_no_further() -> None:
    own = bars(length=60)
    shadow = shadow_of(handle("sma_cross", AVERAGES, bars=Artifact(inline=encode(own))))
    features = Artifacts(BUCKET).get(shadow.features, Features)
    assert features.values["A"]["fast"].last == pytest.approx(
        sum(own["A"].close[-3:]) / 3, rel=1e-9
    )
    assert shadow.bars is None


BROKEN = {
    **{name: words for name, (_, words) in UNLOADED.items() if name != "no_strategy"},
    **{
        name: UNDECIDED[name.removesuffix("_on_bars")][1]
        .replace("STRATEGY_FAILED", "STRATEGY_FEATURES_FAILED")
        .replace("WEIGHTS_INVALID", "STRATEGY_FEATURES_INVALID")
        .replace("WEIGHT_INVALID", "STRATEGY_FEATURES_INVALID")
        for name in FEATURELESS
        if name not in {"nan_on_bars", "says_exit_on_bars"}  # as those that raise
    },
}


@pytest.mark.parametrize(("name", "words"), BROKEN.items())
def test_a_broken_shadow_changes_no_byte_of_the_live_features(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "hangs" in name:
        monkeypatch.setattr("compute_indicators.shadow.SECONDS", 3.0)
    answer = handle(name)
    assert json.dumps(answer["features"]) == json.dumps(handle()["features"])
    shadow = shadow_of(answer)
    assert shadow.features is None
    assert words in shadow.error


def test_a_shadow_that_came_to_nothing_before_is_handed_on_as_it_is() -> None:
    assert shadow_of(handle("sma_cross", error="no bars")) == Shadow("sma_cross", error="no bars")


def test_a_shadow_is_not_begun_when_the_live_run_has_taken_the_time() -> None:
    late = LambdaContext(milliseconds_left=14_000)
    assert shadow_of(handle("sma_cross", AVERAGES, context=late)).error == "no time was left for it"


def test_bars_of_a_shadow_that_are_gone_are_its_own_trouble() -> None:
    gone = Artifact(s3="s3://another/bucket", sha256="0")
    answer = handle("sma_cross", AVERAGES, bars=gone)
    assert "ARTIFACT_INVALID" in shadow_of(answer).error
    assert answer["features"] == handle()["features"]
