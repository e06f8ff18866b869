"""Real runs over days report returns, month by month, in one text and one e-mail each."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.paper_broker.data import FUND
from tests.run.conftest import Bench, RunReport

FIRST = date(2012, 6, 28)
RETURN = r"[+-]\d+\.\d%"


@pytest.fixture(scope="module")
def reports(bench: Bench) -> dict[str, RunReport]:
    """Trade three sessions around the end of June 2012, then halt the desk."""
    stack = bench.deploy({"Benchmark": FUND.symbol, "Strategy": "momentum_rotation"})
    found: dict[str, RunReport] = {}
    with bench.own_broker(clock_scale=0) as paper:
        for day in (FIRST, FIRST + timedelta(days=1), date(2012, 7, 2)):
            paper.open_session(day)
            found[f"{day} bell"] = bench.ring(stack, {})
        at = paper.open_session(day, "16:15")
        found["report"] = bench.ring(stack, {"report_only": True, "scheduled_time": at})
        state = {"Name": stack.trading_state_parameter, "Type": "String", "Overwrite": True}
        bench.aws.client("ssm").put_parameter(**state, Value="HALTED earnings week")
        paper.open_session(date(2012, 7, 3))
        found["halted"] = bench.ring(stack, {})
        bench.aws.client("ssm").put_parameter(**state, Value="ACTIVE")
        symbols = {"Benchmark": FUND.symbol, "TextTemplate": "{mode} {orders}, {ordrs}"}
        bench.deploy_again(stack, symbols)
        paper.open_session(date(2012, 7, 5))
        found["wrong form"] = bench.ring(stack, {})
        found["plan"] = bench.ring(stack, {"dry_run": True})
        s3 = bench.aws.client("s3")
        listed = s3.list_objects_v2(Bucket=stack.bucket, Prefix="ledger/")["Contents"]
        keys = [each["Key"] for each in listed if "-sessions/" in each["Key"]]
        bodies = [s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read() for key in keys]
        SUMMARIES.extend(json.loads(body) for body in bodies)
    return found


SUMMARIES: list[dict[str, Any]] = []


def test_texts_lead_with_orders_or_day_and_end_with_returns_and_equity(
    reports: dict[str, RunReport],
) -> None:
    first = reports["2012-06-28 bell"].sms
    assert re.fullmatch(
        r"algo-trader PAPER 2012-06-28: bought .*, holds 3\. Since Jun 28 \+0\.0%\. "
        r"Equity \$[\d,]+",
        first,
    )
    second = reports["2012-06-29 bell"].sms
    assert re.search(rf"\. Last session {RETURN}, since Jun 28 {RETURN}\. Equity \$", second)
    report = reports["report"].sms
    assert re.match(rf"algo-trader PAPER 2012-07-02 report: day [+-]\$\d+ \({RETURN}\)", report)
    assert re.search(rf"Week {RETURN}, month {RETURN}, since Jun 28 {RETURN}", report)
    halted = reports["halted"].sms
    assert ": HALTED (earnings week), would " in halted
    assert halted.count("HALTED") == 1
    assert all(len(each.sms) <= 160 for each in reports.values())


def test_an_email_names_each_period_s_start_next_to_the_benchmark(
    reports: dict[str, RunReport],
) -> None:
    email = reports["report"].email
    for line in (
        r"today: [+-][\d.]+%, EQWT [+-][\d.]+%",
        r"this week, since the close of 2012-06-29: [+-][\d.]+%, EQWT [+-][\d.]+%",
        r"this month, since the close of 2012-06-29: [+-][\d.]+%, EQWT [+-][\d.]+%",
        r"since the first session, 2012-06-28: [+-][\d.]+%, EQWT [+-][\d.]+%",
        r"best holding today: [A-Z]+ [+-]\$\d+",
    ):
        assert re.search(rf"\n  {line}\n", email), line


def test_a_summary_of_each_session_adds_up_to_the_equity(reports: dict[str, RunReport]) -> None:
    """The account belongs to the desk alone, and holds most of its money in shares."""
    assert reports
    days = ["2012-06-28", "2012-06-29", "2012-07-02", "2012-07-03", "2012-07-05"]
    assert [each["session"] for each in SUMMARIES] == days
    july = next(each for each in SUMMARIES if each["session"] == "2012-07-02")
    total = Decimal(july["returns"]["total"]["desk"])
    made = Decimal(july["equity"]) / 100_000 - 1
    assert abs(total - made / Decimal("0.98")) < Decimal("0.001")  # CashReserve earns nothing


def test_a_wrong_form_is_noted_by_a_run_and_refused_by_a_plan(
    reports: dict[str, RunReport],
) -> None:
    trading, plan = reports["wrong form"], reports["plan"]
    assert trading.status == "SUCCEEDED"
    assert trading.sms.startswith("algo-trader PAPER 2012-07-05: ")
    assert "TextTemplate has the unknown field {ordrs}" in trading.email
    assert plan.outcome == ("FAILED", "ConfigurationError", 0)
    assert "{ordrs}" in plan.cause
