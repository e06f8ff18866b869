"""What a strategy prints and logs reaches the log of its function, once and with the run's id."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from algotrader.adapters.strategy_output import MESSAGE
from local.sandbox.aws.template import CHECKOUT
from tests.run.conftest import Bench

STRATEGY = '''"""Owns a strategy that talks."""

import logging

from algotrader.strategy import Strategy

log = logging.getLogger(__name__)


class Talking(Strategy):
    look_back = 3

    def features(self, bars, files):
        print("features of", len(bars), "bars")
        return {"x": 1.0}

    def target_weights(self, market, portfolio):
        log.info("%d symbols", len(market))
        self.note("spoke")
        self.explain("IBM", "because I can")
        return {"IBM": 0.2}
'''


def test_a_strategy_is_heard_in_the_log_the_text_and_the_email(
    bench: Bench, tmp_path: Path
) -> None:
    functions = tmp_path / "functions"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "functions", functions, ignore=ignored)
    (functions / "strategies" / "talking.py").write_text(STRATEGY, encoding="utf-8")
    parameters = {"Strategy": "talking", "Symbols": "IBM"}
    stack = bench.deploy(parameters, functions=functions)
    started = time.time()

    traded = bench.ring(stack, {})

    assert (traded.status, traded.orders_sent) == ("SUCCEEDED", 1)
    lines = stack.logged_lines("compute-indicators", MESSAGE, started)
    assert lines == ["features of 3 bars"] * 2
    assert stack.logged_lines("decide-orders", MESSAGE, started) == ["INFO 1 symbols"]
    assert stack.logged_lines("decide-orders", MESSAGE, time.time() + 60) == []
    (event,) = (
        json.loads(each["message"])
        for each in bench.aws.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{stack.name}-decide-orders"
        )["events"]
        if MESSAGE in each["message"]
    )
    assert event["run_id"].endswith("-day")
    assert "; strategy: because I can" in traded.email
    assert "the strategy notes: spoke" in traded.email
    assert ". spoke." in traded.sms
