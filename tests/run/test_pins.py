"""A strategy file that differs from its pin ends the run, and the record names the files read."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from local.sandbox.aws import Stack
from local.sandbox.aws.template import CHECKOUT
from tests.run.conftest import Bench

MODEL = b"0.2"
PIN = hashlib.sha256(MODEL).hexdigest()
STRATEGY = f'''"""Owns a strategy that buys what its pinned file says."""

from decimal import Decimal

from algotrader.strategy import Strategy


class Pinned(Strategy):
    pins = {{"model.txt": "{PIN}"}}

    def features(self, bars, files):
        free = files.get("free.json", b"")
        return {{"weight": float(files["model.txt"]), "free": float(len(free))}}

    def target_weights(self, market, portfolio):
        return {{each: Decimal("0.2") for each, view in market.items() if view["weight"] == 0.2}}
'''


@pytest.fixture(scope="module")
def stack(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    functions = tmp_path_factory.mktemp("pinned") / "functions"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "functions", functions, ignore=ignored)
    (functions / "strategies" / "pinned.py").write_text(STRATEGY, encoding="utf-8")
    return bench.deploy({"Strategy": "pinned", "Symbols": "IBM"}, functions=functions)


def upload(bench: Bench, stack: Stack, name: str, content: bytes) -> None:
    bench.aws.client("s3").put_object(Bucket=stack.bucket, Key=f"strategies/{name}", Body=content)


def test_a_changed_file_trades_nothing_until_it_is_the_pinned_one_again(
    bench: Bench, stack: Stack
) -> None:
    upload(bench, stack, "model.txt", b"0.9")
    failed = bench.ring(stack, {})
    assert failed.outcome == ("FAILED", "StrategyError", 0)
    assert "STRATEGY_FILE_CHANGED: file=strategies/model.txt" in failed.email

    upload(bench, stack, "model.txt", MODEL)
    upload(bench, stack, "free.json", b"[1]")
    traded = bench.ring(stack, {})
    assert (traded.status, traded.orders_sent) == ("SUCCEEDED", 1)
    s3 = bench.aws.client("s3")
    (key,) = (
        each["Key"]
        for each in s3.list_objects_v2(Bucket=stack.bucket, Prefix="runs/")["Contents"]
        if each["Key"].endswith("record.json")
    )
    record = json.load(s3.get_object(Bucket=stack.bucket, Key=key)["Body"])
    assert record["features"]["files"] == {
        "free.json": hashlib.sha256(b"[1]").hexdigest(),
        "model.txt": PIN,
    }
