"""A take-over continues only with what Step Functions recorded and the current state allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim
from algotrader.contracts import (
    CONTRACT_VERSION,
    Artifact,
    DecideOrdersResult,
    FetchBarsResult,
    encode,
    sha256_of,
)
from algotrader.errors import ConfigurationError, DecisionConflictError
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, World, decision_of
from tests.functions.fetch_bars.runs import (
    JOURNAL,
    OTHER_ARN,
    claim_of,
    fail,
    handed_on,
    run_of,
    settings_of,
)
from tests.support.own_universes import own_universes

THIRD_ARN = ARN + "-third"
FOREIGN_ARN = ARN.replace(":desk:", ":another-machine:")
NOW = datetime(2026, 1, 6, 14, 36, 30, tzinfo=UTC)


def again(world: World, arn: str = OTHER_ARN) -> FetchBarsResult:
    """Take over the run a minute and a half later."""
    world.now = "2026-01-06T09:36:30-05:00"
    return world.run(arn=arn)


def refused(world: World) -> None:
    with pytest.raises(DecisionConflictError, match=f"DECISION_UNPROVEN.*{JOURNAL}decision.json"):
        again(world)
    claim = claim_of(world)
    assert claim is not None
    assert claim.state == "failed"


# -- the decision's origin -------------------------------------------------------------------------


def test_a_decision_that_no_execution_took_is_refused(world: World) -> None:
    first = world.run()
    world.decide(first, "AAPL")
    forged = replace(decision_of(run_of(first), "AAPL", "IBM"), spendable=Decimal(10**9))
    world.store.write(f"{JOURNAL}decision.json", forged)
    fail(world)
    refused(world)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"entries": []}', b"null"])
def test_a_decision_that_cannot_be_read_is_refused(world: World, content: bytes) -> None:
    world.decide(world.run())
    key = f"{JOURNAL}decision.json"
    client("s3").put_object(Bucket=world.store.bucket, Key=key, Body=content)
    fail(world)
    refused(world)


def test_a_whole_forged_journal_opens_nothing(world: World) -> None:
    """The journal has a claim, data and a matching decision, but nobody began the run."""
    copied = world.run({"dry_run": True})
    run = replace(run_of(copied), journal=JOURNAL, sends_orders=True)
    settings = replace(settings_of(world, copied), max_order_notional=Decimal(10**9))
    fetched = {"run": run, "settings": settings, "snapshot": {}}
    world.store.write(f"{JOURNAL}claim.json", Claim(THIRD_ARN, "failed", run.started_at))
    world.store.write(f"{JOURNAL}fetched.json", fetched)
    world.store.write(f"{JOURNAL}decision.json", decision_of(run, "AAPL"))
    refused(world)


def test_an_execution_of_another_machine_is_not_a_witness(world: World) -> None:
    first = world.run()
    world.decide(first, "AAPL", arn=FOREIGN_ARN)
    world.store.write(f"{JOURNAL}claim.json", Claim(FOREIGN_ARN, "failed", NOW))
    refused(world)


def test_what_a_dry_run_decided_is_not_a_decision_of_the_run(world: World) -> None:
    dry = world.run({"dry_run": True}, arn=THIRD_ARN)
    made = world.decide(dry, "AAPL", arn=THIRD_ARN)
    world.store.write(f"{JOURNAL}decision.json", made)
    world.store.write(f"{JOURNAL}claim.json", Claim(THIRD_ARN, "failed", NOW))
    refused(world)


def test_an_execution_that_had_not_decided_is_not_a_witness(world: World) -> None:
    first = world.run()
    world.decide(first, "AAPL")
    world.executions.keep(ARN, [("Fetch Bars", first)])
    fail(world)
    refused(world)


def test_the_last_holder_may_have_died_before_it_decided(world: World) -> None:
    first = world.run()
    world.decide(first, "AAPL")
    fail(world)
    second = again(world)
    world.executions.keep(OTHER_ARN, [("Fetch Bars", second)])
    fail_as(world, OTHER_ARN)

    third = again(world, THIRD_ARN)

    assert handed_on(third) == handed_on(first)
    assert run_of(third).deadline == run_of(first).deadline
    claim = claim_of(world)
    assert claim is not None
    assert claim.earlier == (ARN, OTHER_ARN)


def fail_as(world: World, arn: str) -> None:
    claim = claim_of(world)
    assert claim is not None
    assert claim.execution_arn == arn
    failed = Claim(arn, "failed", claim.at, earlier=claim.earlier)
    world.store.write(f"{JOURNAL}claim.json", failed)


def test_a_decision_that_was_too_large_for_the_state_counts_by_its_hash(world: World) -> None:
    first = world.run()
    made = world.decide(first, "AAPL")
    by_hash = Artifact(s3="s3://somewhere/decision.json", sha256=sha256_of(made))
    decided = DecideOrdersResult("SUBMIT", decision=by_hash, plan=by_hash)
    world.executions.keep(ARN, [("Fetch Bars", first), ("Decide Orders", decided)])
    fail(world)

    assert run_of(again(world)).deadline == run_of(first).deadline


def test_a_decision_that_is_gone_is_not_taken_again_once_an_order_of_it_is_there(
    world: World,
) -> None:
    first = world.run()
    world.decide(first, "AAPL")
    fail(world)
    bought(world, first, "4")
    client("s3").delete_object(Bucket=world.store.bucket, Key=f"{JOURNAL}decision.json")
    run = run_of(first)
    found = f"DECISION_LOST.*at1-{run.desk}-{run.run_id}-AAPL-entry-0"
    with pytest.raises(DecisionConflictError, match=found):
        again(world)


def test_orders_of_other_runs_prove_no_decision_of_this_one(world: World) -> None:
    first = world.run()
    fail(world)
    desk, day = run_of(first).desk, run_of(first).session
    world.trade(f"at1-{desk}-{day}-1530-AAPL-entry-0", submitted_at="2026-01-06T14:35:10Z")
    world.trade("at1-ffffff-2026-01-06-day-AAPL-entry-0", submitted_at="2026-01-06T14:35:10Z")
    assert run_of(again(world)).started_at == NOW


def test_a_history_that_a_gateway_gives_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("algotrader.adapters.aws.BROKEN_PAUSES_SECONDS", (0, 0))
    first = world.run()
    world.decide(first, "AAPL")
    fail(world)
    world.executions.broken = 2
    assert run_of(again(world)).deadline == run_of(first).deadline


def test_what_the_bucket_says_of_the_run_is_not_believed(world: World) -> None:
    first = world.run()
    world.decide(first, "AAPL")
    later = replace(run_of(first), deadline=run_of(first).deadline + timedelta(days=9))
    settings = replace(settings_of(world, first), max_order_notional=Decimal(10**9))
    forged = {"run": later, "settings": settings, "snapshot": {}}
    world.store.write(f"{JOURNAL}fetched.json", forged)
    fail(world)

    second = again(world)

    assert handed_on(second) == handed_on(first)
    assert run_of(second) == replace(run_of(first), execution_arn=OTHER_ARN)


# -- changes since then ----------------------------------------------------------------------------


def ended(world: World, words: str) -> None:
    """Check that the run sends nothing more and gives this reason."""
    run = run_of(again(world))
    assert (run.deadline, run.ended_because) == (NOW, words)


@pytest.mark.parametrize(
    ("name", "value", "parameter"),
    [
        ("MAX_ORDER_NOTIONAL", "1000", "MaxOrderNotional"),
        ("MAX_ORDER_NOTIONAL", "90000", "MaxOrderNotional"),
        ("DENY_SYMBOLS", "AAPL", "DenySymbols"),
        ("STRATEGY_PARAMETERS", '{"fast": 2, "slow": 5}', "StrategyParameters"),
        ("RUN_DEADLINE_SECONDS", "60", "RunDeadlineSeconds"),
    ],
)
def test_a_run_whose_settings_were_deployed_again_sends_nothing_more(
    world: World, name: str, value: str, parameter: str
) -> None:
    world.decide(world.run(), "AAPL")
    fail(world)
    world.environ[name] = value

    ended(world, f"a deploy changed {parameter}")


def test_many_changed_settings_are_counted(world: World) -> None:
    world.decide(world.run(), "AAPL")
    fail(world)
    names = ("CASH_RESERVE", "MAX_DRAWDOWN", "MAX_TURNOVER", "NO_TRADE_BAND", "MAX_DAILY_LOSS")
    world.environ |= dict.fromkeys(names, "0.5")

    ended(
        world,
        "a deploy changed MaxTurnover, MaxDailyLoss, MaxDrawdown, CashReserve and 1 more",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("IBM\nAAPL # new words\n", ""), ("AAPL\nIBM\n", "a deploy changed Symbols")],
)
def test_a_list_has_changed_when_its_symbols_have(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    write = own_universes(tmp_path, monkeypatch)
    write("mine", "IBM\nAAPL\n")
    world.environ["SYMBOLS"] = "@mine"
    world.decide(world.run(), "AAPL")
    fail(world)
    write("mine", text)

    assert run_of(again(world)).ended_because == words


def position(symbol: str, qty: str) -> dict[str, str]:
    return {
        "symbol": symbol,
        "qty": qty,
        "qty_available": qty,
        "avg_entry_price": "100",
        "market_value": "1000",
        "current_price": "100",
        "side": "long",
    }


def hold(world: World, *positions: dict[str, str], cash: str = "100000") -> None:
    world.server.on("GET /v2/positions", list(positions))
    world.server.on("GET /v2/account", {**ACCOUNT, "cash": cash})


def bought(world: World, result: FetchBarsResult, qty: str) -> None:
    run = run_of(result)
    at = "2026-01-06T14:35:10Z"
    status = "filled" if qty == "10" else "partially_filled"
    changes = {"submitted_at": at, "filled_at": at, "status": status, "filled_qty": qty}
    world.trade(f"at1-{run.desk}-{run.run_id}-AAPL-entry-0", **changes)


def test_what_the_run_s_own_orders_did_is_not_a_change(world: World) -> None:
    hold(world, position("IBM", "7"))
    first = world.run()
    world.decide(first, "AAPL")
    fail(world)
    bought(world, first, "10")
    hold(world, position("IBM", "7"), position("AAPL", "10"), cash="99000.01")

    second = run_of(again(world))
    assert (second.deadline, second.ended_because) == (run_of(first).deadline, "")


CHANGES: dict[str, tuple[Callable[[World], None], str]] = {
    "a sale by hand": (
        lambda world: hold(world, position("AAPL", "10"), cash="99350"),
        "0 IBM instead of 7, cash 99350.00 instead of 99000.00",
    ),
    "a purchase by hand": (
        lambda world: hold(world, position("IBM", "7"), position("AAPL", "12"), cash="99000"),
        "12 AAPL instead of 10",
    ),
    "a deposit": (
        lambda world: hold(world, position("IBM", "7"), position("AAPL", "10"), cash="104000"),
        "cash 104000.00 instead of 99000.00",
    ),
    "a withdrawal of a dollar": (
        lambda world: hold(world, position("IBM", "7"), position("AAPL", "10"), cash="98999"),
        "cash 98999.00 instead of 99000.00",
    ),
    "another symbol": (
        lambda world: hold(
            world,
            *(position(name, qty) for name, qty in (("IBM", "7"), ("AAPL", "10"))),
            position("TSLA", "1"),
            cash="99000",
        ),
        "1 TSLA instead of 0",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_account_that_somebody_else_changed_ends_the_sending(world: World, change: str) -> None:
    hold(world, position("IBM", "7"))
    first = world.run()
    world.decide(first, "AAPL")
    fail(world)
    bought(world, first, "10")
    act, words = CHANGES[change]
    act(world)

    ended(world, f"the account changed: {words}")


def test_a_fill_between_two_readings_is_not_a_change(world: World) -> None:
    hold(world)
    first = world.run()
    world.decide(first, "AAPL")
    fail(world)
    bought(world, first, "4")
    hold(world, position("AAPL", "10"))
    looks = 0

    def account(_: Any) -> Answer:
        nonlocal looks
        looks += 1
        if looks == 2:  # the other six shares fill after the orders were listed
            world.orders[0]["filled_qty"] = "10"
        return Answer({**ACCOUNT, "cash": "99000" if looks > 2 else "99600"})

    world.server.on("GET /v2/account", account)

    assert run_of(again(world)).ended_because == ""
    assert looks == 3


def test_a_sale_of_a_canceled_stop_is_the_run_s_own(world: World) -> None:
    stop = "at1-aaaaaa-2026-01-02-day-IBM-stop-0"
    sold = {"symbol": "IBM", "side": "sell", "filled_avg_price": "50"}
    hold(world, position("IBM", "10"))
    first = world.run()
    world.decide(first, "AAPL", cancels=(stop,), filled_before={stop: Decimal(3)})
    fail(world)
    world.trade(stop, submitted_at="2026-01-02T15:00:00Z", **sold)
    found = next(each for each in world.orders if each["client_order_id"] == stop)
    world.server.on("GET /v2/orders:by_client_order_id", Answer(found))
    hold(world, position("IBM", "3"), cash="100350")

    assert run_of(again(world)).ended_because == ""


# -- a deployment since then -----------------------------------------------------------------------


def begun_by(world: World, contract: int, *dropped: str) -> FetchBarsResult:
    """Let a run under an older contract decide and fail; it lacks the dropped fields."""
    first = world.run()
    made = world.decide(first, "AAPL")
    lacks = {name: value for name, value in encode(made).items() if name not in dropped}
    reported = encode(first) | {"contract": contract}
    reported["run"] = {
        name: value for name, value in reported["run"].items() if name not in dropped
    }
    decided = {"outcome": "SUBMIT", "decision": {"inline": lacks}, "plan": {"inline": {}}}
    world.executions.keep(ARN, [("Fetch Bars", reported), ("Decide Orders", decided)])
    world.store.write(f"{JOURNAL}decision.json", lacks | {"contract": contract})
    fail(world)
    return first


def test_a_run_of_the_contract_before_is_taken_over_and_sends_nothing_more(world: World) -> None:
    first = begun_by(world, CONTRACT_VERSION - 1, "ended_because", "stops", "filled_before")

    second = again(world)

    assert handed_on(second) == handed_on(first)
    assert second.contract == CONTRACT_VERSION
    assert run_of(second).deadline == NOW
    assert run_of(second).ended_because == "a deploy changed what the steps pass to each other"


@pytest.mark.parametrize("contract", [CONTRACT_VERSION - 2, CONTRACT_VERSION + 1])
def test_a_run_of_any_other_contract_is_not_gone_on_with(world: World, contract: int) -> None:
    begun_by(world, contract)
    unknown: dict[str, Any] = {"contract": contract, "run": "of a shape that nobody knows"}
    world.executions.keep(ARN, [("Fetch Bars", unknown), ("Decide Orders", unknown)])

    with pytest.raises(ConfigurationError, match=f"DEPLOYED_DURING_RUN: contract={contract}"):
        again(world)

    claim = claim_of(world)
    assert claim is not None
    assert claim.state == "failed"


def test_a_holder_of_another_contract_does_not_hide_the_one_that_decided(world: World) -> None:
    unknown = {"contract": CONTRACT_VERSION + 1}
    first = world.run(arn=THIRD_ARN)
    world.decide(first, "AAPL", arn=THIRD_ARN)
    world.executions.keep(ARN, [("Fetch Bars", unknown), ("Decide Orders", unknown)])
    claim = claim_of(world)
    assert claim is not None
    held = Claim(THIRD_ARN, "failed", claim.at, earlier=(ARN,))
    world.store.write(f"{JOURNAL}claim.json", held)

    assert handed_on(again(world)) == handed_on(first)


def test_a_decision_with_a_field_that_nobody_decided_is_refused(world: World) -> None:
    made = world.decide(world.run(), "AAPL")
    world.store.write(f"{JOURNAL}decision.json", encode(made) | {"who_knows": 1})
    fail(world)
    refused(world)


def test_fetch_bars_says_which_contract_it_keeps(world: World) -> None:
    reported = encode(world.run())
    stored = world.store.read(f"{JOURNAL}fetched.json", dict[str, Any])
    assert stored is not None
    assert reported["contract"] == stored["contract"] == CONTRACT_VERSION
