"""The shadow decides beside the live strategy and changes no byte of what is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from algotrader.adapters.artifacts import Artifacts
from algotrader.contracts import (
    Artifact,
    DecideOrdersEvent,
    DecideOrdersResult,
    Shadow,
    SubmitOrdersEvent,
    decode,
    encode,
)
from algotrader.errors import InvalidInputError
from algotrader.model import Decision, Leg, Run, Side
from decide_orders.app import lambda_handler
from tests.functions.conftest import BUCKET
from tests.functions.decide_orders.test_app import ROTATION, momentum
from tests.support.desk_world import RUN, features, open_order, own_id, snapshot
from tests.support.desk_world import run as run_with
from tests.support.lambda_context import LambdaContext
from tests.support.shadows import SOUND, UNDECIDED, UNLOADED

FUNCTIONS = Path(__file__).parents[3] / "functions"

TOLD = snapshot({"XOM": "5", "AAPL": "10"})

pytestmark = pytest.mark.usefixtures("shadows")


@pytest.fixture(autouse=True)
def bucket_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", BUCKET)


def event(name: str = "", parameters: str = "{}", *, of: Run = RUN, **shadow: Any) -> Any:
    given = {"features": Artifact(inline=encode(features()))} | shadow
    return json.loads(
        json.dumps(
            encode(
                DecideOrdersEvent(
                    run=of,
                    settings=replace(
                        ROTATION, shadow_strategy=name, shadow_strategy_parameters=parameters
                    ),
                    snapshot=Artifact(inline=encode(TOLD)),
                    features=Artifact(inline=encode(momentum())),
                    shadow=Shadow(name, **given) if name else None,
                )
            )
        )
    )


def handle(*given: Any, context: Any = None, **shadow: Any) -> dict[str, Any]:
    answer: dict[str, Any] = lambda_handler(event(*given, **shadow), context or LambdaContext())
    return answer


def shadow_of(answer: dict[str, Any]) -> Shadow:
    shadow = decode(DecideOrdersResult, answer, "the result").shadow
    assert shadow is not None
    return shadow


def live_bytes(answer: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in answer.items() if name != "shadow"})


@pytest.mark.parametrize("name", SOUND)
def test_the_shadow_decides_on_the_same_snapshot_by_its_own_features(name: str) -> None:
    answer = handle(name)
    shadow = shadow_of(answer)
    decision = Artifacts(BUCKET).get(shadow.decision, Decision)
    assert (shadow.error, decision.strategy) == ("", name)
    assert [(each.symbol, each.side) for each in decision.entries] == [("AAPL", Side.BUY)]
    assert [each.symbol for each in decision.exits] == ["XOM"]
    assert live_bytes(answer) == live_bytes(handle())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((name, words) for name, (_, words) in (UNDECIDED | UNLOADED).items()),
        ("nobody", "STRATEGY_UNKNOWN"),
    ],
)
def test_a_broken_shadow_changes_no_byte_of_decision_plan_and_outcome(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "hangs":
        monkeypatch.setattr("decide_orders.shadow.SECONDS", 1.0)
    answer = handle(name)
    assert live_bytes(answer) == live_bytes(handle())
    shadow = shadow_of(answer)
    assert shadow.decision is None
    assert words in shadow.error
    assert "Nothing was traded" not in shadow.error


def test_parameters_of_the_shadow_are_its_own() -> None:
    given = {"features": Artifact(inline=encode(momentum()))}
    one = shadow_of(handle("momentum_rotation", '{"top": 1}', **given))
    decision = Artifacts(BUCKET).get(one.decision, Decision)
    assert {each for each, weight in decision.target_weights.items() if weight} == {"AAPL"}
    wrong = handle("momentum_rotation", "[1]", **given)
    assert "ShadowStrategyParameters" in shadow_of(wrong).error
    assert live_bytes(wrong) == live_bytes(handle())


def test_the_shadow_of_a_dry_run_decides_too() -> None:
    answer = handle("one_symbol", of=run_with(sends_orders=False))
    assert answer["outcome"] == "NOTHING_TO_SUBMIT"
    assert shadow_of(answer).decision is not None


def test_a_shadow_that_came_to_nothing_before_is_handed_on_as_it_is() -> None:
    told = Shadow("one_symbol", error="no bars")
    assert shadow_of(handle("one_symbol", features=None, error="no bars")) == told


def test_a_shadow_without_features_was_not_asked() -> None:
    assert shadow_of(handle("one_symbol", features=None)) == Shadow("one_symbol")


def test_a_shadow_is_not_begun_when_the_live_run_has_taken_the_time() -> None:
    late = LambdaContext(milliseconds_left=15_000)
    answer = handle("one_symbol", context=late)
    assert shadow_of(answer).error == "no time was left for it"
    assert live_bytes(answer) == live_bytes(handle())


def test_submit_orders_refuses_an_event_that_carries_a_shadow() -> None:
    answer = handle("one_symbol")
    handed_on = {
        "run": encode(RUN),
        "settings": encode(ROTATION),
        "decision": answer["decision"],
        "plan": answer["plan"],
    }
    assert decode(SubmitOrdersEvent, handed_on, "the input")
    with pytest.raises(InvalidInputError, match="shadow"):
        decode(SubmitOrdersEvent, handed_on | {"shadow": answer["shadow"]}, "the input")


def test_no_order_of_the_desk_is_named_to_be_cancelled_by_a_shadow() -> None:
    mine = open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY))
    told = event("one_symbol")
    told["snapshot"] = {"inline": encode(replace(TOLD, own_open_orders=(mine,)))}
    told = json.loads(json.dumps(told))
    answer = json.loads(json.dumps(lambda_handler(told, LambdaContext())))
    assert answer["decision"]["inline"]["cancels"] == [mine.client_order_id]
    assert answer["shadow"]["decision"]["inline"]["cancels"] == []


def test_without_a_shadow_nothing_of_one_is_imported() -> None:
    script = (
        "import json, sys, types\n"
        "from decide_orders.app import lambda_handler\n"
        "context = types.SimpleNamespace(function_name='f', memory_limit_in_mb=1,"
        " invoked_function_arn='a', aws_request_id='1')\n"
        "lambda_handler(json.load(sys.stdin), context)\n"
        "print(json.dumps([each for each in sys.modules if 'shadow' in each or 'apart' in each]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(event()),
        capture_output=True,
        check=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS), "BUCKET": BUCKET},
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
