"""What opens a run, what it gathers, and who may have it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.claim import Claim
from algotrader.contracts import BarColumns, FetchBarsEvent, FetchBarsResult
from algotrader.errors import (
    AccountBlockedError,
    BrokerAuthError,
    BrokerUnavailableError,
    ConfigurationError,
    DeskError,
    InsufficientHistoryError,
    InvalidInputError,
    LateBellError,
    StaleBarsError,
    StrategyError,
)
from algotrader.model import Holding, Ledger, Run, Snapshot, TradingMode, TradingState
from fetch_bars.books import checkpoint_key
from fetch_bars.fetch import Fetched, fetch
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, asset, bar
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, STATE_NAME, World

JOURNAL = "runs/2026-01-06/2026-01-06-day/"
OTHER_ARN = ARN + "-other"


def snapshot_of(world: World, result: FetchBarsResult) -> Snapshot:
    assert result.snapshot is not None
    return world.artifacts.get(result.snapshot, Snapshot)


def bars_of(world: World, result: FetchBarsResult) -> dict[str, BarColumns]:
    assert result.bars is not None
    return world.artifacts.get(result.bars, dict[str, BarColumns])


def run_of(result: FetchBarsResult) -> Run:
    assert result.run is not None
    return result.run


def claim_of(world: World) -> Claim | None:
    return world.artifacts.read(f"{JOURNAL}claim.json", Claim)


def test_an_open_market_gives_all_that_a_run_needs(world: World) -> None:
    result = world.run()

    assert result.outcome == "OPEN"
    run = run_of(result)
    assert (run.run_id, run.session, run.slot) == ("2026-01-06-day", date(2026, 1, 6), "day")
    assert (run.journal, run.sends_orders, run.mode) == (JOURNAL, True, TradingMode.PAPER)
    assert run.deadline == datetime(2026, 1, 6, 14, 45, 2, tzinfo=UTC)
    snapshot = snapshot_of(world, result)
    assert snapshot.previous_session == date(2026, 1, 5)
    assert snapshot.prices["IBM"].price == Decimal("101.5")
    assert snapshot.assets.keys() == {"AAPL", "IBM"}
    assert snapshot.trading_state is TradingState.ACTIVE
    assert snapshot.last_session_pnl is None
    bars = bars_of(world, result)
    assert bars["AAPL"].session[-1] == date(2026, 1, 5)
    assert snapshot.last_closes["AAPL"] == Decimal(str(bars["AAPL"].close[-1]))


def test_todays_bar_is_never_seen(world: World) -> None:
    world.bars["AAPL"].append(bar("2026-01-06", 999.0))

    assert max(bars_of(world, world.run())["AAPL"].session) == date(2026, 1, 5)


def test_what_was_gathered_is_in_the_journal(world: World) -> None:
    result = world.run()

    fetched = world.artifacts.read(f"{JOURNAL}fetched.json", Fetched)
    assert fetched == Fetched(run_of(result), result.settings, snapshot_of(world, result))
    assert world.artifacts.read(f"{JOURNAL}bars.json", dict[str, BarColumns]) == bars_of(
        world, result
    )
    assert claim_of(world) == Claim(ARN, "running", run_of(result).started_at)


def test_a_large_history_goes_by_reference(world: World) -> None:
    world.environ["STRATEGY_PARAMETERS"] = '{"fast": 3, "slow": 60}'
    world.environ["SYMBOLS"] = ",".join(names := [f"S{n}" for n in range(6)])
    for name in names:
        world.assets[name], world.bars[name] = asset(name), world.bars["AAPL"]

    result = world.run()

    assert result.bars is not None
    place = f"s3://{world.artifacts.bucket}/{JOURNAL}states/bars-"
    assert str(result.bars.s3).startswith(place)
    assert bars_of(world, result).keys() == set(names)
    assert world.artifacts.read(f"{JOURNAL}bars.json", dict[str, BarColumns]) == bars_of(
        world, result
    )


@pytest.mark.parametrize(
    ("given", "leaf", "code"),
    [
        ([1, 2], InvalidInputError, "INPUT_INVALID"),
        ("abc", InvalidInputError, "INPUT_INVALID"),
        (5, InvalidInputError, "INPUT_INVALID"),
        ({"mode": "live"}, InvalidInputError, "INPUT_INVALID"),
        ({"max_order_notional": 10**6}, InvalidInputError, "INPUT_INVALID"),
        ({"account": "PA1"}, InvalidInputError, "INPUT_INVALID"),
        ({"strategy": "other"}, InvalidInputError, "INPUT_INVALID"),
        ({"dry_run": "no"}, InvalidInputError, "INPUT_INVALID"),
        ({"symbols": "AAPL"}, InvalidInputError, "INPUT_INVALID"),
        ({"symbols": []}, InvalidInputError, "SYMBOLS_EMPTY"),
        ({"symbols": ["AAPL", "TSLA"]}, InvalidInputError, "SYMBOLS_NOT_DEPLOYED"),
        ({"symbols": ["../AAPL"]}, InvalidInputError, "SYMBOLS_NOT_DEPLOYED"),
        ({"scheduled_time": "2026-01-06/../x"}, InvalidInputError, "INSTANT_INVALID"),
        ({"scheduled_time": "2026-01-06T09:35:00"}, InvalidInputError, "INSTANT_INVALID"),
        (
            {"scheduled_time": "2026-01-07T14:35:00Z"},
            InvalidInputError,
            "SCHEDULED_TIME_IN_FUTURE",
        ),
        ({"scheduled_time": "2026-01-06T14:00:00Z"}, LateBellError, "BELL_TOO_OLD"),
        ({"slot": "0935"}, InvalidInputError, "SLOT_UNKNOWN"),
        ({"slot": "../day"}, InvalidInputError, "SLOT_UNKNOWN"),
    ],
)
def test_an_input_that_would_widen_or_break_a_run_is_refused(
    world: World, given: Any, leaf: type[DeskError], code: str
) -> None:
    with pytest.raises(leaf) as raised:
        world.run(given)

    assert raised.value.code == code
    assert world.stored() == []


def test_a_null_input_is_refused_by_name(world: World) -> None:
    with pytest.raises(InvalidInputError, match="INPUT_INVALID"):
        fetch(FetchBarsEvent(ARN, None), world.environ, world.artifacts)


def test_a_consoles_comment_means_nothing(world: World) -> None:
    assert world.run({"Comment": "Insert your JSON here"}).outcome == "OPEN"


def test_an_input_may_narrow_the_entries_alone(world: World) -> None:
    result = world.run({"symbols": ["IBM"]})

    assert run_of(result).entry_symbols == ("IBM",)
    assert bars_of(world, result).keys() == {"AAPL", "IBM"}


@pytest.mark.parametrize(
    ("parameter", "value", "leaf", "code"),
    [
        ("SYMBOLS", "", ConfigurationError, "PARAMETER_INVALID"),
        ("STRATEGY", "sma_crosss", ConfigurationError, "STRATEGY_UNKNOWN"),
        ("STRATEGY_PARAMETERS", '{"fast": "x"}', ConfigurationError, "STRATEGY_PARAMETER_INVALID"),
        ("STRATEGY_PARAMETERS", '{"fsat": 3}', ConfigurationError, "STRATEGY_PARAMETER_UNKNOWN"),
        ("ALPACA_KEYS_PARAMETER", "/none", ConfigurationError, "KEYS_MISSING"),
        ("SYMBOLS", "AAPL,NOPE", ConfigurationError, "SYMBOL_UNKNOWN"),
        (
            "APCA_API_BASE_URL",
            "https://api.alpaca.markets",
            ConfigurationError,
            "PARAMETER_INVALID",
        ),
    ],
)
def test_a_wrong_deployment_is_told_by_name(
    world: World, parameter: str, value: str, leaf: type[DeskError], code: str
) -> None:
    world.environ[parameter] = value

    with pytest.raises(leaf) as raised:
        world.run()

    assert raised.value.code == code


def test_a_symbol_that_may_not_be_traded_is_named(world: World) -> None:
    world.assets["IBM"] = asset("IBM", tradable=False)

    with pytest.raises(ConfigurationError, match="SYMBOL_NOT_TRADABLE: symbols=IBM"):
        world.run()


def without(day: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda bars: [each for each in bars if each["t"][:10] != day]


def since(day: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda bars: [each for each in bars if each["t"][:10] >= day]


def nan(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each if each["t"] < "2026-01-05" else {**each, "c": None} for each in bars]


@pytest.mark.parametrize(
    ("spoil", "leaf", "code"),
    [
        (lambda _: [], InsufficientHistoryError, "BARS_ABSENT"),
        (without("2026-01-05"), StaleBarsError, "BARS_STALE"),
        (nan, InsufficientHistoryError, "BARS_NOT_NUMBERS"),
        (since("2026-01-02"), InsufficientHistoryError, "BARS_TOO_FEW"),
        (without("2025-12-31"), InsufficientHistoryError, "BARS_MISSING"),
    ],
)
def test_bars_that_are_not_fit_end_the_run_and_free_its_claim(
    world: World, spoil: Any, leaf: type[DeskError], code: str
) -> None:
    world.bars["IBM"] = spoil(world.bars["IBM"])

    with pytest.raises(leaf, match="IBM") as raised:
        world.run()

    assert raised.value.code == code
    assert claim_of(world).state == "failed"


@pytest.mark.parametrize(
    ("request_", "answer", "leaf"),
    [
        ("GET /v2/clock", Answer({"message": "x"}, 401), BrokerAuthError),
        ("GET /v2/clock", Answer(b"<html>"), BrokerUnavailableError),
        ("GET /v2/account", Answer({**ACCOUNT, "trading_blocked": True}), AccountBlockedError),
        ("GET /v2/account", Answer(b"", 503), BrokerUnavailableError),
    ],
)
def test_a_broker_that_fails_before_the_claim_leaves_none(
    world: World, request_: str, answer: Answer, leaf: type[DeskError]
) -> None:
    world.server.on(request_, answer)

    with pytest.raises(leaf):
        world.run()

    assert world.stored() == []


def test_a_broker_that_fails_after_the_claim_leaves_it_failed_for_a_repeat(world: World) -> None:
    world.server.on("GET /v2/positions", Answer(b"", 503))
    with pytest.raises(BrokerUnavailableError):
        world.run()
    assert claim_of(world).state == "failed"

    world.server.on("GET /v2/positions", [])
    assert world.run(arn=OTHER_ARN).outcome == "OPEN"
    assert claim_of(world).execution_arn == OTHER_ARN  # type: ignore[union-attr]


def test_a_strategy_that_is_broken_is_told_before_the_broker_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StrategyError("STRATEGY_BROKEN", "Mend it.")

    monkeypatch.setattr("fetch_bars.opening.load_strategy", broken)

    with pytest.raises(StrategyError):
        world.run()

    assert world.server.requests == []


def test_a_closed_market_is_told_and_takes_no_claim(world: World) -> None:
    world.now, world.is_open = "2026-01-10T09:35:00-05:00", False

    result = world.run()

    assert (result.outcome, result.run) == ("CLOSED", None)
    assert "Monday 2026-01-12 at 09:30" in result.message
    assert world.stored() == []


def test_a_dry_run_at_night_goes_on_with_the_last_session(world: World) -> None:
    world.now, world.is_open = "2026-01-06T03:00:00-05:00", False

    result = world.run({"dry_run": True})

    run = run_of(result)
    assert (result.outcome, run.session, run.sends_orders) == ("OPEN", date(2026, 1, 5), False)
    assert run.journal == "runs/2026-01-05/2026-01-05-day/dry-run/one/"
    assert bars_of(world, result)["AAPL"].session[-1] == date(2026, 1, 2)
    assert not [each for each in world.stored() if each.endswith("claim.json")]


def test_a_dry_run_deployment_sleeps_on_holidays_but_obeys_a_hand(world: World) -> None:
    world.environ["TRADING_MODE"] = "dry-run"
    world.now, world.is_open = "2026-01-10T09:35:00-05:00", False

    assert world.run({"scheduled_time": "2026-01-10T14:35:00Z"}).outcome == "CLOSED"
    assert world.run().outcome == "OPEN"


def test_a_report_by_hand_needs_no_bars_and_no_claim(world: World) -> None:
    world.now, world.is_open = "2026-01-06T16:15:00-05:00", False
    world.server.on("GET /v2/stocks/bars", Answer(b"", 500))

    result = world.run({"report_only": True})

    assert (result.outcome, result.bars) == ("REPORT", None)
    run = run_of(result)
    assert (run.run_id, run.sends_orders) == ("2026-01-06-report", False)
    assert world.stored() == ["runs/2026-01-06/2026-01-06-report/one/fetched.json"]
    assert snapshot_of(world, result).account.equity == Decimal("100000.12")


def test_a_second_execution_of_a_bell_is_a_duplicate(world: World) -> None:
    world.run()

    result = world.run(arn=OTHER_ARN)

    assert (result.outcome, result.run, result.snapshot) == ("DUPLICATE", None, None)
    assert ARN in result.message


def test_of_two_executions_at_once_one_is_the_duplicate(world: World) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def ring(arn: str) -> None:
        start.wait()
        outcomes.append(world.run(arn=arn).outcome)

    threads = [threading.Thread(target=ring, args=(arn,)) for arn in (ARN, OTHER_ARN)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(outcomes) == ["DUPLICATE", "OPEN"]


def fail(world: World) -> None:
    claim = claim_of(world)
    assert claim is not None
    world.artifacts.write(f"{JOURNAL}claim.json", Claim(claim.execution_arn, "failed", claim.at))


def test_a_failed_run_that_had_decided_goes_on_with_what_it_saw(world: World) -> None:
    first = world.run()
    world.artifacts.write(f"{JOURNAL}decision.json", {"any": "decision"})
    fail(world)
    world.server.on("GET /v2/positions", Answer(b"", 500))
    world.bars["AAPL"] = []
    world.now = "2026-01-06T11:00:00-05:00"

    second = world.run(arn=OTHER_ARN)

    assert second.outcome == "OPEN"
    assert (second.snapshot, second.bars) == (first.snapshot, first.bars)
    assert run_of(second).deadline == run_of(first).deadline
    assert run_of(second).execution_arn == OTHER_ARN


def test_a_failed_run_that_had_not_decided_gathers_anew(world: World) -> None:
    world.run()
    fail(world)
    world.now = "2026-01-06T09:50:00-05:00"

    second = world.run(arn=OTHER_ARN)

    assert run_of(second).deadline == datetime(2026, 1, 6, 15, 0, tzinfo=UTC)


def decided(*symbols: str) -> dict[str, Any]:
    return {"run_id": "2026-01-06-day", "entries": [{"symbol": each} for each in symbols]}


def test_a_run_that_had_decided_more_than_the_input_allows_is_not_gone_on_with(
    world: World,
) -> None:
    world.run()
    world.artifacts.write(f"{JOURNAL}decision.json", decided("AAPL", "IBM"))
    fail(world)

    with pytest.raises(InvalidInputError, match=r"RUN_DECIDED_MORE.*symbols=AAPL.*same input"):
        world.run({"symbols": ["IBM"]}, arn=OTHER_ARN)

    assert claim_of(world).state == "failed"
    assert world.run(arn=OTHER_ARN).outcome == "OPEN"


def test_a_run_that_had_decided_less_than_the_input_allows_stays_as_narrow(world: World) -> None:
    first = world.run({"symbols": ["IBM"]})
    world.artifacts.write(f"{JOURNAL}decision.json", decided("IBM"))
    fail(world)

    assert run_of(world.run(arn=OTHER_ARN)).entry_symbols == run_of(first).entry_symbols


def end(world: World, slot: str, state: Literal["running", "done", "failed"]) -> None:
    key = f"runs/2026-01-06/2026-01-06-{slot}/claim.json"
    world.artifacts.write(key, Claim(OTHER_ARN, state, datetime(2026, 1, 6, tzinfo=UTC)))


@pytest.mark.parametrize("later", [None, "running"])
@pytest.mark.parametrize(
    "given", [{"slot": "0935"}, {"scheduled_time": "2026-01-06T14:35:00Z"}], ids=["hand", "bell"]
)
def test_a_slot_is_over_while_the_run_of_a_later_one_is_under_way_or_about_to_begin(
    world: World, given: Any, later: Literal["running"] | None
) -> None:
    # two runs at once would buy the same twice
    world.environ["SLOTS"] = "0930,0935,0940,1200"
    world.now = "2026-01-06T09:41:00-05:00"
    if later:
        end(world, "0940", later)

    with pytest.raises(InvalidInputError, match=r"SLOT_OVER: slot=0935 later=0940"):
        world.run(given)

    assert not [each for each in world.stored() if "0935" in each]


@pytest.mark.parametrize("later", ["done", "failed"])
def test_an_earlier_slot_may_be_run_once_the_later_one_is_over(
    world: World, later: Literal["done", "failed"]
) -> None:
    world.environ["SLOTS"] = "0935,0940"
    world.now = "2026-01-06T09:41:00-05:00"
    end(world, "0940", later)

    assert run_of(world.run({"slot": "0935"})).slot == "0935"


@pytest.mark.parametrize(("now", "comes"), [("09:55:00", True), ("09:56:00", False)])
def test_a_later_bell_that_would_be_too_old_is_not_waited_for(
    world: World, now: str, comes: bool
) -> None:
    world.environ["SLOTS"] = "0935,0940"
    world.now = f"2026-01-06T{now}-05:00"

    if comes:
        with pytest.raises(InvalidInputError, match="SLOT_OVER"):
            world.run({"slot": "0935"})
    else:
        assert run_of(world.run({"slot": "0935"})).slot == "0935"


def test_a_dry_run_may_look_back_at_any_slot(world: World) -> None:
    world.environ["SLOTS"] = "0935,0940"
    world.now = "2026-01-06T09:41:00-05:00"

    assert run_of(world.run({"slot": "0935", "dry_run": True})).slot == "0935"


def test_a_run_that_another_desk_had_decided_is_not_gone_on_with(world: World) -> None:
    world.run()
    world.artifacts.write(f"{JOURNAL}decision.json", {"any": "decision"})
    fail(world)
    world.environ["STRATEGY"] = "momentum_rotation"
    world.environ["STRATEGY_PARAMETERS"] = "{}"

    with pytest.raises(ConfigurationError, match="RUN_OF_ANOTHER_DESK"):
        world.run(arn=OTHER_ARN)


def test_live_refuses_the_keys_of_another_account(world: World) -> None:
    world.environ.update(TRADING_MODE="live", LIVE_ACCOUNT_NUMBER="999999999")

    with pytest.raises(ConfigurationError, match="LIVE_ACCOUNT_DIFFERS"):
        world.run()

    assert world.stored() == []


def test_live_is_halted_until_somebody_says_otherwise(world: World) -> None:
    world.environ.update(TRADING_MODE="live", LIVE_ACCOUNT_NUMBER=ACCOUNT["account_number"])

    assert snapshot_of(world, world.run()).trading_state is TradingState.HALTED


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"account_blocked": True}, "account_blocked"),
        ({"trading_blocked": True}, "trading_blocked"),
        ({"trade_suspended_by_user": True}, "trade_suspended_by_user"),
        ({"status": "ACCOUNT_CLOSED"}, "status ACCOUNT_CLOSED"),
        ({"status": "ONBOARDING", "trading_blocked": True}, "trading_blocked, status ONBOARDING"),
    ],
)
@pytest.mark.parametrize("given", [{}, {"flatten": True}, {"dry_run": True}])
def test_a_flag_of_the_account_stops_every_run_by_name(
    world: World, flags: dict[str, Any], told: str, given: Any
) -> None:
    world.server.on("GET /v2/account", ACCOUNT | flags)

    with pytest.raises(AccountBlockedError, match=rf"ACCOUNT_BLOCKED: blocked_by={told}\."):
        world.run(given)

    assert world.stored() == []


def test_a_block_of_transfers_stops_no_run(world: World) -> None:
    world.server.on("GET /v2/account", ACCOUNT | {"transfers_blocked": True})

    assert world.run().outcome == "OPEN"


def test_the_trading_state_is_read_with_its_reason(world: World) -> None:
    client("ssm").put_parameter(Name=STATE_NAME, Type="String", Value="REDUCING earnings")

    snapshot = snapshot_of(world, world.run())

    assert (snapshot.trading_state, snapshot.trading_state_reason) == (
        TradingState.REDUCING,
        "earnings",
    )


def own_id(world: World, symbol: str = "AAPL") -> str:
    desk = run_of(world.run({"dry_run": True})).desk
    return f"at1-{desk}-2026-01-05-day-{symbol}-entry-0"


def test_the_ledger_counts_the_desks_own_orders_alone(world: World) -> None:
    world.trade(own_id(world))
    world.trade("users-own", symbol="IBM")
    world.trade("users-open", status="new", filled_qty="0", filled_avg_price=None)

    snapshot = snapshot_of(world, world.run())

    assert snapshot.ledger.holdings == {"AAPL": Holding(Decimal(10), Decimal(1000))}
    assert [each.client_order_id for each in snapshot.foreign_open_orders] == ["users-open"]
    assert snapshot.own_open_orders == ()


def test_a_symbol_that_was_taken_out_still_has_a_price_but_needs_no_bars(world: World) -> None:
    world.assets["GOOG"] = asset("GOOG")
    world.trade(own_id(world, "GOOG"), symbol="GOOG")

    result = world.run()

    snapshot = snapshot_of(world, result)
    assert snapshot.prices.keys() == snapshot.assets.keys() == {"AAPL", "GOOG", "IBM"}
    assert bars_of(world, result).keys() == {"AAPL", "IBM"}


def test_a_split_is_told_and_counted_once(world: World) -> None:
    world.trade(own_id(world))
    world.actions = {
        "forward_splits": [
            {"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2026-01-06"},
            {"symbol": "IBM", "new_rate": 2, "old_rate": 1, "ex_date": "2026-01-02"},
        ]
    }

    first = snapshot_of(world, world.run())
    fail(world)
    second = snapshot_of(world, world.run(arn=OTHER_ARN))

    assert [(each.symbol, each.kind) for each in first.corporate_actions] == [
        ("AAPL", "forward_split")
    ]
    assert first.ledger.holdings["AAPL"].qty == second.ledger.holdings["AAPL"].qty == 40


def test_an_order_stamped_ahead_of_the_brokers_clock_is_owned_and_not_yet_in_the_checkpoint(
    world: World,
) -> None:
    world.trade(own_id(world), submitted_at="2026-01-06T14:40:00Z", filled_at=None)
    result = world.run()
    assert snapshot_of(world, result).ledger.holdings["AAPL"].qty == 10
    checkpoint = world.artifacts.read(f"ledger/{result.run.desk}.json", Ledger)
    assert checkpoint.holdings == {}


def test_the_checkpoint_of_the_ledger_saves_asking_for_all_orders(world: World) -> None:
    world.trade(own_id(world), submitted_at="2025-12-01T14:35:05Z", filled_at=None)
    first = world.run()
    desk = run_of(first).desk

    checkpoint = world.artifacts.read(f"ledger/{desk}.json", Ledger)
    assert checkpoint is not None
    assert checkpoint.holdings == {"AAPL": Holding(Decimal(10), Decimal(1000))}

    fail(world)
    world.orders.clear()
    second = snapshot_of(world, world.run(arn=OTHER_ARN))
    assert second.ledger.holdings == checkpoint.holdings


def test_a_checkpoint_that_cannot_be_read_is_rebuilt_and_told(world: World) -> None:
    world.trade(own_id(world))
    desk = run_of(world.run({"dry_run": True})).desk
    client("s3").put_object(Bucket=world.artifacts.bucket, Key=f"ledger/{desk}.json", Body=b"{half")

    snapshot = snapshot_of(world, world.run())

    assert snapshot.ledger.holdings["AAPL"].qty == 10
    assert "rebuilt" in snapshot.warnings[0]


def test_without_a_list_of_corporate_actions_the_run_goes_on_with_a_warning(world: World) -> None:
    del world.server.scripts["GET /v1/corporate-actions"]

    result = world.run()

    assert "corporate actions" in snapshot_of(world, result).warnings[0]
    assert checkpoint_key(run_of(result).desk) not in world.stored()


def test_a_dry_run_writes_below_its_own_name_alone(world: World) -> None:
    world.run({"dry_run": True})

    assert all(each.startswith(f"{JOURNAL}dry-run/one/") for each in world.stored())


def test_the_broker_is_asked_for_no_order_by_fetching(world: World) -> None:
    world.run()

    assert {each.method for each in world.server.requests} == {"GET"}


def test_no_key_reaches_the_journal_or_the_result(world: World) -> None:
    result = world.run()

    stored = [
        client("s3").get_object(Bucket=world.artifacts.bucket, Key=key)["Body"].read().decode()
        for key in world.stored()
    ]
    assert "MARKED" not in "".join([*stored, repr(result)])
