"""Whole days with the real template, handlers and broker: a bell trades once, or says why not."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from algotrader.orders.ids import desk_of
from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import Stack
from tests.run.conftest import SESSION, Bench
from tests.support.checkout import CHECKOUT
from tests.support.claims import a_minute_later
from tests.support.distorting_proxy import Answer, Distortion, as_json
from tests.support.live_desk import arm

Paper = PaperBrokerProcess
Deploy = Callable[..., Stack]
PATIENCE_SECONDS = 60
FUNCTIONS = CHECKOUT / "functions"


def empty(bench: Bench, stack: Stack) -> None:
    """Remove what runs and the user left in a stack, as if it were newly deployed."""
    s3 = bench.aws.client("s3")
    for each in s3.list_objects_v2(Bucket=stack.bucket).get("Contents", []):
        s3.delete_object(Bucket=stack.bucket, Key=each["Key"])
    names = [stack.trading_state_parameter, f"/{stack.name}/live-arming"]
    bench.aws.client("ssm").delete_parameters(Names=names)


@pytest.fixture
def stack(bench: Bench, deployed: Stack) -> Stack:
    """Return the module's stack, emptied."""
    empty(bench, deployed)
    return deployed


@pytest.fixture(scope="module")
def tuned(bench: Bench) -> Stack:
    """Return a second stack, for tests with their own parameters."""
    return bench.deploy()


@pytest.fixture
def deploy(bench: Bench, tuned: Stack) -> Deploy:
    """Deploy with parameters to an emptied stack."""
    empty(bench, tuned)
    return lambda parameters=None: bench.deploy_again(tuned, parameters)


def decision_of(bench: Bench, stack: Stack) -> Any:
    """Read the decision from the journal."""
    day = SESSION.isoformat()
    key = f"runs/{day}/{day}-day/decision.json"
    return json.load(bench.aws.client("s3").get_object(Bucket=stack.bucket, Key=key)["Body"])


def ids_of(paper: Paper) -> list[str]:
    return sorted(each["client_order_id"] for each in paper.orders())


def test_a_deposit_and_a_withdrawal_are_in_no_profit_of_the_next_day(
    bench: Bench, stack: Stack
) -> None:
    def measured(day: date) -> dict[str, Any]:
        key = f"runs/{day}/{day}-day/fetched.json"
        stored = bench.aws.client("s3").get_object(Bucket=stack.bucket, Key=key)["Body"]
        return json.load(stored)["snapshot"]

    after, later = SESSION + timedelta(days=1), SESSION + timedelta(days=2)
    with bench.own_broker() as paper:
        paper.deposit("5000")
        paper.open_session(SESSION, "16:15")
        nothing_held = bench.ring(stack, {"report_only": True}).sms
        assert "day +$0 (+0.0%)" in nothing_held
        paper.open_session(after)
        assert bench.ring(stack, {}).orders_sent == 3
        first = measured(after)
        assert (Decimal(first["last_session_pnl"]), Decimal(first["since_close_pnl"])) == (0, 0)

        paper.deposit("-300")
        paper.open_session(after, "17:00")
        paper.deposit("70", "JNLC")
        closed = Decimal(paper.account()["equity"]) - 70
        paper.open_session(later)
        assert bench.ring(stack, {}).status == "SUCCEEDED"
        second = measured(later)
        opened = Decimal(second["account"]["equity"])
        assert Decimal(second["last_session_pnl"]) == closed - (105_000 - 300)
        assert Decimal(second["since_close_pnl"]) == opened - closed - 70
        assert second["warnings"] == []  # so the cash matches fills and statement


def test_a_second_bell_of_a_session_ends_as_a_duplicate_and_says_so_in_its_output(
    bench: Bench, stack: Stack, fresh: Paper
) -> None:
    reported = bench.ring(stack, {"scheduled_time": bench.bell})
    assert (reported.status, reported.orders_sent) == ("SUCCEEDED", 3)
    ids, texts = ids_of(fresh), stack.texts()
    end = stack.wait(stack.start({}))
    assert end["status"] == "SUCCEEDED"
    assert "already holds run" in end["output"]
    assert (ids_of(fresh), stack.texts()) == (ids, texts)


def test_two_executions_of_one_bell_in_parallel_trade_once(
    bench: Bench, stack: Stack, fresh: Paper
) -> None:
    texts_before = len(stack.texts())
    arns = [stack.start({"scheduled_time": bench.bell}) for _ in range(3)]
    ends = [stack.wait(arn) for arn in arns]
    assert [end["status"] for end in ends] == ["SUCCEEDED"] * 3
    assert sum("already holds run" in end["output"] for end in ends) == 2
    assert len(ids_of(fresh)) == len(set(ids_of(fresh))) == 3
    assert len(stack.texts()) == texts_before + 1


def test_a_failed_run_is_taken_over_with_the_same_decision_and_finds_its_orders(
    bench: Bench, stack: Stack, fresh: Paper
) -> None:
    posts = 0

    def break_down_after_the_first_post(method: str, _path: str) -> Answer | None:
        nonlocal posts
        posts += method == "POST"
        return Answer(504, b"<html>late</html>") if posts > 1 else None

    bench.proxy.intercept = break_down_after_the_first_post
    failed = bench.ring(stack, {"scheduled_time": bench.bell})
    assert (failed.status, failed.error) == ("FAILED", "BrokerUnavailableError")
    placed = ids_of(fresh)
    assert len(placed) == 1
    decision = decision_of(bench, stack)

    bench.proxy.intercept = None
    fresh.behave(slippage_bps=50)  # prices have moved, but the decision is the same
    reported = bench.ring(stack, {"scheduled_time": bench.bell})
    assert reported.status == "SUCCEEDED", reported.cause
    assert reported.orders_sent == 2
    assert len(ids_of(fresh)) == 3
    assert set(placed) < set(ids_of(fresh))
    assert decision_of(bench, stack) == decision


def test_a_stopped_execution_gives_its_run_up_to_the_next(
    bench: Bench, deploy: Deploy, fresh: Paper
) -> None:
    fresh.behave(never_fill=["*"])
    stack = deploy({"RunDeadlineSeconds": "3600"})
    arn = stack.start({})
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while len(ids_of(fresh)) < 3:
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:  # otherwise it would trade with the next test's broker
        bench.aws.client("stepfunctions").stop_execution(executionArn=arn)
    assert stack.wait(arn)["status"] == "ABORTED"
    fresh.behave(never_fill=[])
    again = bench.ring(stack, {})
    assert (again.status, again.orders_sent) == ("SUCCEEDED", 0), again.cause
    assert [each["status"] for each in fresh.orders()] == ["filled"] * 3


def test_a_halted_desk_denies_everything_and_no_deploy_resumes_it(
    bench: Bench, deploy: Deploy, fresh: Paper
) -> None:
    stack = deploy()
    bench.aws.client("ssm").put_parameter(
        Name=stack.trading_state_parameter, Value="HALTED on holiday", Type="String"
    )
    reported = bench.ring(stack, {})
    assert (reported.status, reported.orders_sent, ids_of(fresh)) == ("SUCCEEDED", 0, [])
    assert "HALTED" in reported.sms
    assert "on holiday" in reported.email
    bench.aws.deploy(
        stack.name, bench.addresses | {"MaxOrderNotional": "40000"}, tags={"owner": "someone-else"}
    )
    fresh.open_session(SESSION + timedelta(days=1))
    again = bench.ring(stack, {})
    assert (again.status, again.orders_sent, ids_of(fresh)) == ("SUCCEEDED", 0, [])
    assert "HALTED" in again.sms


def hides_its_restriction(_method: str, path: str, answer: Answer) -> Answer:
    if path != "/v2/account":
        return answer
    return as_json({**answer.json, "admin_configurations": {}}, answer.status)


@pytest.mark.parametrize(
    ("distort", "in_sms", "in_email"),
    [
        (None, "REDUCING (account may only sell: unspecified)", "TRADING_REDUCING"),
        (hides_its_restriction, "1 rejected", "account is restricted to liquidation only"),
    ],
)
def test_an_account_that_may_only_sell_sells_and_says_so(
    bench: Bench,
    deploy: Deploy,
    fresh: Paper,
    distort: Distortion | None,
    in_sms: str,
    in_email: str,
) -> None:
    stack = deploy()
    assert bench.ring(stack, {}).orders_sent == 3
    leaves = fresh.positions()[0]["symbol"]
    fresh.open_session(date(2012, 6, 21))
    fresh.behave(restricted_to_liquidation=True)
    others = [each for each in ("AAPL", "GOOG", "IBM", "MSFT") if each != leaves]
    bench.aws.deploy(stack.name, bench.addresses | {"Symbols": ",".join(others)})

    reported = bench.ring(stack, {}, distort)

    assert reported.status == "SUCCEEDED", reported.cause
    todays = [each for each in fresh.orders() if "-2012-06-21-" in each["client_order_id"]]
    assert [(each["symbol"], each["side"]) for each in todays] == [(leaves, "sell")]
    assert [each["status"] for each in todays] == ["filled"]
    assert leaves in reported.sms
    assert in_sms in reported.sms
    assert in_email in reported.email


def test_a_late_bell_fails_with_a_text_and_trades_nothing(
    bench: Bench, stack: Stack, fresh: Paper
) -> None:
    late = bench.ring(stack, {"scheduled_time": "2012-06-20T13:15:00Z"})
    assert late.outcome == ("FAILED", "LateBellError", 0)
    assert "BELL_TOO_OLD" in late.sms
    assert ids_of(fresh) == []


@pytest.mark.parametrize(
    ("day", "at", "opens"),
    [
        ("2012-06-23", "09:35", "2012-06-25"),  # a Saturday
        ("2012-07-04", "09:35", "2012-07-05"),  # Independence Day
        ("2012-07-03", "13:30", "2012-07-05"),  # after an early close
        ("2012-06-21", "08:00", "2012-06-21"),  # before the open
    ],
)
def test_outside_market_hours_the_run_ends_quietly_and_says_when_it_opens(
    stack: Stack, fresh: Paper, day: str, at: str, opens: str
) -> None:
    fresh.open_session(date.fromisoformat(day), at)
    before = stack.texts()
    end = stack.wait(stack.start({}))
    assert end["status"] == "SUCCEEDED"
    assert opens in end["output"]
    assert (stack.texts(), fresh.orders()) == (before, [])


def test_a_dry_run_at_night_decides_on_the_last_session_and_sends_nothing(
    bench: Bench, stack: Stack, fresh: Paper
) -> None:
    fresh.open_session(SESSION, "22:00")
    reported = bench.ring(stack, {"dry_run": True})
    assert (reported.status, reported.orders_sent, fresh.orders()) == ("SUCCEEDED", 0, [])
    assert "DRY RUN" in reported.sms
    assert "MSFT" in reported.email


def test_a_run_cancels_and_reports_what_does_not_fill_by_the_deadline(
    bench: Bench, deploy: Deploy, fresh: Paper
) -> None:
    fresh.behave(never_fill=["AAPL"])
    reported = bench.ring(deploy({"RunDeadlineSeconds": "30"}), {})
    assert reported.status == "SUCCEEDED", reported.cause
    statuses = {each["symbol"]: each["status"] for each in fresh.orders()}
    assert statuses.pop("AAPL") == "canceled"
    assert set(statuses.values()) == {"filled"}
    assert "AAPL" in reported.email


def test_a_run_without_orders_says_why(bench: Bench, deploy: Deploy, fresh: Paper) -> None:
    stack = deploy()
    assert bench.ring(stack, {}).orders_sent == 3
    fresh.open_session(date(2012, 6, 21))
    bench.aws.deploy(
        stack.name,
        bench.addresses | {"NoTradeBand": "1"},
    )
    reported = bench.ring(stack, {})
    assert (reported.status, reported.orders_sent) == ("SUCCEEDED", 0)
    assert "no orders" in reported.sms


def test_a_dry_run_deployment_sends_nothing(bench: Bench, deploy: Deploy, fresh: Paper) -> None:
    reported = bench.ring(deploy({"TradingMode": "dry-run"}), {})
    assert (reported.status, reported.orders_sent, fresh.orders()) == ("SUCCEEDED", 0, [])


def test_a_subset_of_symbols_narrows_the_entries(bench: Bench, stack: Stack, fresh: Paper) -> None:
    reported = bench.ring(stack, {"symbols": ["MSFT"]})
    assert reported.status == "SUCCEEDED"
    assert [each["symbol"] for each in fresh.orders()] == ["MSFT"]


def test_a_stack_of_the_same_name_in_another_region_places_nothing_twice(
    bench: Bench, stack: Stack, fresh: Paper
) -> None:
    """The stack shares the account and the desk, but its own bucket is empty."""
    reported = bench.ring(stack, {"scheduled_time": bench.bell})
    assert (reported.status, reported.orders_sent) == ("SUCCEEDED", 3)
    ids, held = ids_of(fresh), fresh.positions()

    empty(bench, stack)
    twin = bench.ring(stack, {"scheduled_time": bench.bell})

    assert (twin.status, twin.orders_sent) == ("SUCCEEDED", 0)
    assert "no orders: all within band" in twin.sms
    assert (ids_of(fresh), fresh.positions()) == (ids, held)


def test_another_strategy_manages_what_the_desk_holds_and_says_so_once(
    bench: Bench, deploy: Deploy, fresh: Paper
) -> None:
    first = bench.ring(deploy(), {})
    assert (first.status, first.orders_sent) == ("SUCCEEDED", 3)
    held = {each["symbol"] for each in fresh.positions()}

    stack = deploy({"Strategy": "rsi_mean_reversion"})
    fresh.open_session(date(2012, 6, 21))
    second = bench.ring(stack, {})

    assert second.status == "SUCCEEDED"
    assert "Strategy is now rsi_mean_reversion" in second.sms
    sold = [each["symbol"] for each in fresh.orders() if each["side"] == "sell"]
    assert set(sold) == held
    assert fresh.positions() == []
    assert len({desk_of(each) for each in ids_of(fresh)}) == 1
    fresh.open_session(date(2012, 6, 22))
    assert "Strategy" not in bench.ring(stack, {}).sms


def test_live_needs_the_account_that_the_user_typed_in(
    bench: Bench, deploy: Deploy, fresh: Paper
) -> None:
    reported = bench.ring(deploy({"TradingMode": "live", "LiveAccountNumber": "123456789"}), {})
    assert reported.outcome == ("FAILED", "ConfigurationError", 0)
    assert fresh.orders() == []


def test_live_is_halted_until_it_is_armed_and_again_after_a_deploy(
    bench: Bench, deploy: Deploy, fresh: Paper
) -> None:
    live = {"TradingMode": "live", "LiveAccountNumber": fresh.account()["account_number"]}
    stack = deploy(live)
    bench.aws.client("ssm").put_parameter(
        Name=stack.trading_state_parameter, Value="ACTIVE", Type="String"
    )
    halted = bench.ring(stack, {})
    assert (halted.status, halted.orders_sent) == ("SUCCEEDED", 0)
    assert "HALTED (run algo-trader arm" in halted.sms

    arm(bench.aws, stack)
    fresh.open_session(date(2012, 6, 21))
    reported = bench.ring(stack, {})
    # in its first days a live desk buys for at most LiveRampNotional, which is 1000 dollars
    assert reported.orders_sent > 0
    bought = [each for each in fresh.orders() if each["status"] == "filled"]
    spent = sum(float(each["filled_qty"]) * float(each["filled_avg_price"]) for each in bought)
    assert 0 < spent <= 1000
    assert "LIVE_RAMP" in reported.email

    bench.aws.deploy(stack.name, bench.addresses | live | {"MaxOrderNotional": "40000"})
    fresh.open_session(date(2012, 6, 22))
    again = bench.ring(stack, {})
    assert (again.status, again.orders_sent) == ("SUCCEEDED", 0)
    assert "the stack was deployed again" in again.email

    fresh.behave(shorting=True)
    refused = bench.ring(stack, {"dry_run": True})
    assert (refused.status, refused.error) == ("FAILED", "ConfigurationError")
    assert "SHORTING_ALLOWED" in refused.sms
    # a flatten needs neither arming nor this check
    a_minute_later(bench.aws.client("s3"), stack.bucket)
    flat = bench.ring(stack, {"flatten": True})
    assert (flat.status, fresh.positions()) == ("SUCCEEDED", [])
    assert "LIVE FLATTEN 2012-06-22" in flat.sms
    assert "ACTIVE: the next run may buy again" in flat.sms


def test_a_list_of_symbols_is_traded_and_the_record_keeps_its_hash(
    bench: Bench, fresh: Paper, tmp_path: Path
) -> None:
    functions = tmp_path / "functions"
    shutil.copytree(FUNCTIONS, functions)
    text = "# known here\nAAPL\nMSFT # software\n"
    (functions / "universes" / "known.txt").write_text(text, encoding="utf-8")
    stack = bench.deploy({"Symbols": "IBM,@known"}, functions=functions)
    reported = bench.ring(stack, {"scheduled_time": bench.bell})
    assert reported.status == "SUCCEEDED"
    assert {each["symbol"] for each in fresh.orders()} <= {"AAPL", "IBM", "MSFT"}
    assert set(decision_of(bench, stack)["why"]) == {"AAPL", "IBM", "MSFT"}
    day = SESSION.isoformat()
    for name in ("record", "fetched"):
        key = f"runs/{day}/{day}-day/{name}.json"
        body = bench.aws.client("s3").get_object(Bucket=stack.bucket, Key=key)["Body"]
        settings = json.load(body)["settings"]
        assert settings["symbols"] == ["IBM", "AAPL", "MSFT"]
        assert settings["universes"] == {"known": hashlib.sha256(text.encode()).hexdigest()}
