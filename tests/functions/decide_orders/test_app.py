"""The step turns a snapshot and features into a decision and a plan, and imports little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.store import Store
from algotrader.contracts import Artifact, DecideOrdersEvent, DecideOrdersResult, decode, encode
from algotrader.errors import (
    ConfigurationError,
    InsufficientHistoryError,
    InvalidInputError,
    StrategyError,
)
from algotrader.execution import first_plan
from algotrader.model import (
    CorporateAction,
    Decision,
    Features,
    FeatureValue,
    Leg,
    Plan,
    Run,
    Settings,
    Side,
    Snapshot,
    TradingState,
)
from decide_orders.app import lambda_handler
from tests.functions.conftest import BUCKET
from tests.support.checkout import CHECKOUT
from tests.support.desk_world import (
    RUN,
    SETTINGS,
    UNIVERSE,
    features,
    open_order,
    own_id,
    run,
    settings,
    snapshot,
)
from tests.support.lambda_context import LambdaContext

FUNCTIONS = CHECKOUT / "functions"
ROTATION = replace(SETTINGS, strategy="momentum_rotation")


def momentum(symbols: tuple[str, ...] = UNIVERSE) -> Features:
    """Return features whose momentum falls from symbol to symbol, in alphabetical order."""
    return replace(
        features(),
        values={
            symbol: {"momentum": FeatureValue(last=float(-place), previous=0.0)}
            for place, symbol in enumerate(symbols)
        },
    )


def event(
    reported: Snapshot | None = None, *, of: Run = RUN, under: Settings = ROTATION, **changes: Any
) -> Any:
    given = DecideOrdersEvent(
        run=of,
        settings=Artifact(inline=encode(under)),
        snapshot=Artifact(inline=encode(reported or snapshot())),
        features=Artifact(inline=encode(momentum())),
    )
    return json.loads(json.dumps({**encode(given), **changes}))


def handle(given: Any) -> DecideOrdersResult:
    answer = lambda_handler(given, LambdaContext())
    return decode(DecideOrdersResult, json.loads(json.dumps(answer)), "the result")


@pytest.fixture(autouse=True)
def bucket_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", BUCKET)


def test_orders_are_handed_on_as_decision_and_first_plan() -> None:
    result = handle(event())
    store = Store(BUCKET)
    decision = store.get(result.decision, Decision)
    assert result.outcome == "SUBMIT"
    assert [each.symbol for each in decision.entries] == ["AAPL", "GOOG", "IBM"]
    assert store.get(result.plan, Plan) == first_plan(RUN, decision)


def test_the_plan_begins_with_the_exits() -> None:
    plan = Store(BUCKET).get(handle(event(snapshot({"XOM": "5"}))).plan, Plan)
    assert [each.symbol for each in plan.orders] == ["XOM"]


@pytest.mark.parametrize(
    ("of", "reported", "outcome"),
    [
        (RUN, snapshot(), "SUBMIT"),
        (run(sends_orders=False), snapshot(), "NOTHING_TO_SUBMIT"),
        (RUN, snapshot(cash="0"), "NOTHING_TO_SUBMIT"),
        (RUN, snapshot({"XOM": "5"}, cash="0"), "SUBMIT"),
        (RUN, snapshot(trading_state=TradingState.HALTED), "NOTHING_TO_SUBMIT"),
        (
            RUN,
            snapshot(
                trading_state=TradingState.HALTED,
                own_open_orders=(open_order("IBM", Side.BUY, "5", "99", own_id("IBM", Leg.ENTRY)),),
            ),
            "SUBMIT",
        ),
    ],
    ids=["entries", "dry run", "no cash", "an exit", "halted", "a cancel alone"],
)
def test_there_is_something_to_submit_when_the_run_sends_and_something_is_to_be_sent(
    of: Run, reported: Snapshot, outcome: str
) -> None:
    assert handle(event(reported, of=of)).outcome == outcome


def test_a_report_only_cancels_the_stops_at_risk() -> None:
    stop = open_order("IBM", Side.SELL, "5", None, own_id("IBM", Leg.STOP), stop_price=Decimal(90))
    split = CorporateAction("IBM", "forward_split", date(2024, 3, 5), Decimal(2))
    seen = snapshot({"IBM": "5"}, own_open_orders=(stop,), stops_at_risk={"IBM": split})
    of = run(
        slot="report", run_id="2024-03-04-report", journal="runs/2024-03-04/2024-03-04-report/"
    )
    result = handle(event(seen, of=of, features=None))
    decision = Store(BUCKET).get(result.decision, Decision)
    assert (result.outcome, decision.cancels) == ("SUBMIT", (stop.client_order_id,))
    assert (decision.exits, decision.entries, decision.stops) == ((), (), ())


def test_a_dry_run_still_reports_what_it_would_have_done() -> None:
    result = handle(event(of=run(sends_orders=False)))
    assert len(Store(BUCKET).get(result.decision, Decision).entries) == 3


def test_a_large_universe_travels_by_reference_and_leaves_the_write_ahead_log_alone(
    s3: Any,
) -> None:
    symbols = tuple(f"S{each:03d}" for each in range(300))
    under = replace(ROTATION, symbols=symbols)
    reported = snapshot(dict.fromkeys(symbols, "1"))
    store = Store(BUCKET)
    result = handle(
        event(
            under=under,
            snapshot=encode(store.put(RUN, "snapshot", reported)),
            features=encode(store.put(RUN, "features", momentum(symbols))),
        )
    )
    assert result.outcome == "SUBMIT"
    assert len(store.get(result.decision, Decision).why) == 300
    assert len(store.get(result.plan, Plan).orders) == 297
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert str(result.decision.s3).startswith(f"s3://{BUCKET}/{RUN.journal}states/decided-")
    assert f"{RUN.journal}decision.json" not in keys


def test_the_same_event_gives_the_same_bytes() -> None:
    given = event(snapshot({"XOM": "5", "AAPL": "10"}))
    assert lambda_handler(given, LambdaContext()) == lambda_handler(given, LambdaContext())


@pytest.mark.parametrize(
    ("under", "code"),
    [
        (settings(strategy="momentum"), "STRATEGY_UNKNOWN"),
        (replace(ROTATION, strategy_parameters={"windw": 3}), "STRATEGY_PARAMETER_UNKNOWN"),
        (replace(ROTATION, strategy_parameters={"top": "3"}), "STRATEGY_PARAMETER_INVALID"),
    ],
)
def test_wrong_settings_of_the_strategy_end_the_step_by_their_name(
    under: Settings, code: str
) -> None:
    with pytest.raises(ConfigurationError, match=code):
        handle(event(under=under))


def test_a_strategy_that_fails_ends_the_step_by_its_name() -> None:
    other = encode(replace(features(), values={symbol: {} for symbol in UNIVERSE}))
    with pytest.raises(StrategyError, match=r"STRATEGY_FAILED: .*'momentum' is not") as caught:
        handle(event(features={"inline": other}))
    assert "momentum_rotation.py:34 KeyError: " in str(caught.value)


def test_a_symbol_without_features_stops_the_step_only_if_the_template_says_so() -> None:
    three = {"inline": encode(momentum(UNIVERSE[:3]))}
    decision = Store(BUCKET).get(handle(event(features=three)).decision, Decision)
    assert decision.unfit.keys() == {"MSFT"}
    with pytest.raises(InsufficientHistoryError, match=r"FEATURES_MISSING: symbols=MSFT \("):
        handle(event(features=three, under=replace(ROTATION, unfit_symbols="stop")))


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"snapshot": {"inline": {}}},
        {"snapshot": {}},
        {"features": {"s3": "s3://another/bucket", "sha256": "0"}},
        {"run": None},
    ],
)
def test_an_event_that_is_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        handle({**event(), **changes})


def test_the_step_imports_nothing_heavy_while_all_is_in_line() -> None:
    script = (
        "import json, sys, types\n"
        "from decide_orders.app import lambda_handler\n"
        "context = types.SimpleNamespace(function_name='f', memory_limit_in_mb=1,"
        " invoked_function_arn='a', aws_request_id='1')\n"
        "lambda_handler(json.load(sys.stdin), context)\n"
        "print(json.dumps(sorted({each.partition('.')[0] for each in sys.modules})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(event()),
        capture_output=True,
        check=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS), "BUCKET": BUCKET},
    )
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    third_party = imported - sys.stdlib_module_names
    assert {each for each in third_party if not each.startswith("_")} == {
        "algotrader",
        "aws_lambda_powertools",
        "botocore",  # its empty top module, which Powertools imports if boto3 is installed
        "decide_orders",
        "jmespath",
        "msgspec",
        "strategies",
        "typing_extensions",
    }
