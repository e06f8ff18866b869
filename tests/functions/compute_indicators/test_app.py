"""The step computes features from bars, and calls S3 only if they are passed by reference."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import put_bars
from algotrader.contracts import (
    Artifact,
    ComputeIndicatorsEvent,
    ComputeIndicatorsResult,
    decode,
    encode,
)
from algotrader.errors import (
    ConfigurationError,
    InsufficientHistoryError,
    InvalidInputError,
    StrategyError,
)
from algotrader.model import Bars, Features, Run, TradingMode
from compute_indicators.app import lambda_handler
from tests.functions.algotrader.strategy.indicators.indicator_bars import columns, random_frame
from tests.functions.conftest import BUCKET
from tests.support.checkout import CHECKOUT
from tests.support.lambda_context import LambdaContext
from tests.support.own_strategies import Write, own_strategies
from tests.support.settings import SETTINGS

FUNCTIONS = CHECKOUT / "functions"

RUN = Run(
    run_id="2001-12-03-day",
    session=date(2001, 12, 3),
    slot="day",
    desk="a1b2c3",
    mode=TradingMode.PAPER,
    execution_arn="arn:aws:states:us-east-1:123456789012:execution:desk:1",
    journal="runs/2001-12-03/2001-12-03-day/",
    sends_orders=True,
    entry_symbols=("A", "B"),
    started_at=datetime(2001, 12, 3, 14, 35, tzinfo=UTC),
    deadline=datetime(2001, 12, 3, 14, 45, tzinfo=UTC),
)

ROTATION = replace(
    SETTINGS,
    strategy="momentum_rotation",
    strategy_parameters={"window": 20},
    symbols=("A", "B"),
)


def bars(symbols: int = 2, length: int = 30) -> dict[str, Bars]:
    names = [chr(ord("A") + each) if symbols < 26 else f"S{each:03d}" for each in range(symbols)]
    return {name: columns(random_frame(each, length)) for each, name in enumerate(names)}


def event(artifact: Artifact, **settings: Any) -> Any:
    changed = {**encode(ROTATION), **settings}
    given = ComputeIndicatorsEvent(RUN, Artifact(inline=changed), artifact)
    return json.loads(json.dumps(encode(given)))


def handle(given: Any) -> ComputeIndicatorsResult:
    return decode(ComputeIndicatorsResult, lambda_handler(given, LambdaContext()), "the result")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Yield a function that writes a test's strategies next to the shipped ones."""
    with own_strategies(tmp_path, monkeypatch) as write:
        yield write


@pytest.fixture(autouse=True)
def bucket_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", BUCKET)


def test_bars_in_line_become_features_in_line() -> None:
    result = handle(event(Artifact(inline=encode(bars()))))
    features = Store(BUCKET).get(result.features, Features)
    assert features.as_of == date(2001, 1, 30)
    closes = bars()["A"].close
    momentum = features.values["A"]["momentum"]
    assert momentum.last == pytest.approx((closes[-1] / closes[-21] - 1) * 100, rel=1e-9)
    assert momentum.previous == pytest.approx((closes[-2] / closes[-22] - 1) * 100, rel=1e-9)


def test_bars_and_features_of_a_large_universe_travel_by_reference(s3: Any) -> None:
    store = Store(BUCKET)
    many = bars(symbols=300)
    given = put_bars(store, RUN, many)
    result = handle(event(given))

    assert isinstance(given.s3, str)
    assert str(result.features.s3).startswith(f"s3://{BUCKET}/{RUN.journal}states/features-")
    assert store.get(result.features, Features).values.keys() == many.keys()
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2


def test_the_same_bars_give_the_same_bytes() -> None:
    given = event(Artifact(inline=encode(bars())))
    assert lambda_handler(given, LambdaContext()) == lambda_handler(given, LambdaContext())


def pinned(pin: str) -> str:
    return f"""
from algotrader.strategy import Strategy


class Pinned(Strategy):
    pins = {{"model.txt": "{pin}"}}

    def features(self, bars, files):
        try:
            return {{"model": float(files["model.txt"])}}
        except Exception:
            return {{"model": 0.0}}

    def target_weights(self, market, portfolio):
        return {{}}
"""


def test_the_features_keep_the_hash_of_each_file_that_the_strategy_read(
    s3: Any, own: Write
) -> None:
    digest = hashlib.sha256(b"1.5").hexdigest()
    own("pinned", pinned(digest))
    s3.put_object(Bucket=BUCKET, Key="strategies/model.txt", Body=b"1.5")
    given = event(Artifact(inline=encode(bars())), strategy="pinned", strategy_parameters={})
    features = Store(BUCKET).get(handle(given).features, Features)
    assert features.files == {"model.txt": digest}
    assert features.values["A"]["model"].last == 1.5


def test_a_file_that_is_not_the_pinned_one_ends_the_step_whatever_the_strategy_catches(
    s3: Any, own: Write
) -> None:
    own("pinned", pinned(hashlib.sha256(b"1.5").hexdigest()))
    s3.put_object(Bucket=BUCKET, Key="strategies/model.txt", Body=b"2.5")
    given = event(Artifact(inline=encode(bars())), strategy="pinned", strategy_parameters={})
    with pytest.raises(StrategyError, match="STRATEGY_FILE_CHANGED"):
        handle(given)


def test_too_short_a_history_ends_the_step_by_its_name() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"HISTORY_TOO_SHORT: symbol=A have=21 need"):
        handle(event(Artifact(inline=encode(bars(length=21)))))


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"strategy": "momentum"}, "STRATEGY_UNKNOWN"),
        ({"strategy_parameters": {"windw": 3}}, "STRATEGY_PARAMETER_UNKNOWN"),
        ({"strategy_parameters": {"top": "3"}}, "STRATEGY_PARAMETER_INVALID"),
    ],
)
def test_wrong_settings_of_the_strategy_end_the_step_by_their_name(
    settings: dict[str, Any], code: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        handle(event(Artifact(inline=encode(bars())), **settings))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "artifact",
    [
        {"inline": {"A": {"close": [1.0]}}},
        {"inline": {"A": encode(bars()["A"]) | {"close": [None] * 30}}},
        {"inline": [1, 2]},
        {"s3": "s3://another/bucket", "sha256": "0"},
        {},
    ],
)
def test_bars_that_are_none_are_refused(artifact: dict[str, Any]) -> None:
    given = event(Artifact(inline=None)) | {"bars": artifact}
    with pytest.raises(InvalidInputError):
        handle(given)


def test_an_event_with_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="surprise"):
        handle(event(Artifact(inline=encode(bars()))) | {"surprise": 1})


def test_neither_boto3_nor_pandas_is_imported_while_all_is_in_line() -> None:
    script = (
        "import json, sys, types\n"
        "from compute_indicators.app import lambda_handler\n"
        "context = types.SimpleNamespace(function_name='f', memory_limit_in_mb=1,"
        " invoked_function_arn='a', aws_request_id='1')\n"
        "lambda_handler(json.load(sys.stdin), context)\n"
        "heavy = ('boto3', 'requests', 'alpaca_trade_api', 'pandas', 'ta')\n"
        "print(json.dumps([each for each in heavy if each in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(event(Artifact(inline=encode(bars())))),
        capture_output=True,
        check=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS), "BUCKET": BUCKET},
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
