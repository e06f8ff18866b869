"""Fetch Bars opens a run, gathers its data and refuses bad input."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.run_lock import Claim
from algotrader.contracts import FetchBarsEvent, canonical_json
from algotrader.errors import (
    AccountBlockedError,
    BrokerAuthError,
    BrokerUnavailableError,
    ConfigurationError,
    DeskError,
    InvalidInputError,
    LateBellError,
    StrategyError,
)
from algotrader.model import TradingMode, TradingState
from fetch_bars.fetch import Fetched, fetch
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT, asset, bar
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, STATE_NAME, World
from tests.functions.fetch_bars.runs import (
    JOURNAL,
    OTHER_ARN,
    bars_of,
    claim_of,
    run_of,
    settings_of,
    snapshot_of,
)
from tests.support.own_strategies import own_strategies
from tests.support.own_universes import own_universes


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
    assert snapshot.last_session_pnl == 0
    bars = bars_of(world, result)
    assert bars["AAPL"].at[-1] == datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    assert snapshot.last_closes["AAPL"] == Decimal(str(bars["AAPL"].close[-1]))


def test_todays_bar_is_never_seen(world: World) -> None:
    world.bars["AAPL"].append(bar("2026-01-06", 999.0))

    assert bars_of(world, world.run())["AAPL"].at[-1].date() == date(2026, 1, 5)


def test_what_was_gathered_is_in_the_journal(world: World) -> None:
    result = world.run()

    fetched = world.store.read(f"{JOURNAL}fetched.json", Fetched)
    assert canonical_json(fetched) == canonical_json(
        Fetched(run_of(result), settings_of(world, result), snapshot_of(world, result), result.bars)
    )
    assert claim_of(world) == Claim(ARN, "running", run_of(result).started_at)


def test_a_list_is_gathered_symbol_by_symbol_and_its_hash_is_in_the_journal(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_universes(tmp_path, monkeypatch)("mine", "IBM\n")
    world.environ["SYMBOLS"] = "AAPL,@mine"

    world.run()

    fetched = world.store.read(f"{JOURNAL}fetched.json", Fetched)
    assert fetched is not None
    assert fetched.settings.symbols == ("AAPL", "IBM")
    assert fetched.settings.universes == {"mine": hashlib.sha256(b"IBM\n").hexdigest()}


def test_a_large_history_goes_by_reference(world: World) -> None:
    world.environ["STRATEGY_PARAMETERS"] = '{"fast": 3, "slow": 60}'
    world.environ["SYMBOLS"] = ",".join(names := [f"S{n}" for n in range(6)])
    for name in names:
        world.assets[name], world.bars[name] = asset(name), world.bars["AAPL"]

    result = world.run()

    assert result.bars is not None
    (key,) = (each for each in world.stored() if "bars" in each)
    assert key.startswith(f"{JOURNAL}states/bars-")
    assert result.bars.s3 == f"s3://{world.store.bucket}/{key}"
    assert bars_of(world, result).keys() == set(names)
    fetched = world.store.read(f"{JOURNAL}fetched.json", Fetched)
    assert fetched is not None
    assert fetched.bars == result.bars


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
        ({"Comment": "\ud800"}, InvalidInputError, "INPUT_INVALID"),
        ({"scheduled_time": "\ud800"}, InvalidInputError, "INPUT_INVALID"),
        ({"scheduled_time": "9999-12-31T23:59:59-14:00"}, InvalidInputError, "INSTANT_INVALID"),
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
        fetch(FetchBarsEvent(ARN, None), world.environ, world.store)


def test_a_consoles_comment_means_nothing(world: World) -> None:
    assert world.run({"Comment": "Insert your JSON here"}).outcome == "OPEN"


def test_a_run_may_enter_all_that_is_deployed_and_names_none_of_it(world: World) -> None:
    run = run_of(world.run())

    assert run.entry_symbols is None
    assert run.may_enter(("AAPL", "IBM")) == ("AAPL", "IBM")


def test_an_input_may_narrow_only_the_entries(world: World) -> None:
    result = world.run({"symbols": ["IBM"]})

    assert run_of(result).entry_symbols == run_of(result).may_enter(("AAPL", "IBM")) == ("IBM",)
    assert bars_of(world, result).keys() == {"AAPL", "IBM"}


@pytest.mark.parametrize(
    ("parameter", "value", "leaf", "code"),
    [
        ("SYMBOLS", "", ConfigurationError, "PARAMETER_INVALID"),
        ("STRATEGY", "sma_crosss", ConfigurationError, "STRATEGY_UNKNOWN"),
        ("STRATEGY_PARAMETERS", '{"fast": "x"}', ConfigurationError, "STRATEGY_PARAMETER_INVALID"),
        ("STRATEGY_PARAMETERS", '{"fsat": 3}', ConfigurationError, "STRATEGY_PARAMETER_UNKNOWN"),
        ("ALPACA_KEYS_PARAMETER", "/none", ConfigurationError, "KEYS_MISSING"),
        ("SYMBOLS", "NOPE,NONE", ConfigurationError, "SYMBOL_UNKNOWN"),
        (
            "APCA_API_BASE_URL",
            "https://api.alpaca.markets",
            ConfigurationError,
            "PARAMETER_INVALID",
        ),
    ],
)
def test_a_wrong_deployment_is_reported_by_name(
    world: World, parameter: str, value: str, leaf: type[DeskError], code: str
) -> None:
    world.environ[parameter] = value

    with pytest.raises(leaf) as raised:
        world.run()

    assert raised.value.code == code


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
    assert claim_of(world).execution_arn == OTHER_ARN


def test_a_strategy_that_is_broken_is_reported_before_the_broker_is_asked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_strategies(tmp_path, monkeypatch) as write:
        write("broken", "raise RuntimeError('by design')\n")
        world.environ["STRATEGY"] = "broken"

        with pytest.raises(StrategyError, match="by design"):
            world.run()

    assert world.server.requests == []


def test_a_strategy_that_needs_more_fit_symbols_than_there_are_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
from algotrader.strategy import Strategy

class Many(Strategy):
    min_fit: float = 3

    def target_weights(self, market, portfolio):
        return {}
"""
    with own_strategies(tmp_path, monkeypatch) as write:
        write("many", text)
        world.environ |= {"STRATEGY": "many", "STRATEGY_PARAMETERS": "{}"}
        with pytest.raises(ConfigurationError, match=r"min_fit=3 symbols=2 .* Add symbols"):
            world.run()
        assert world.server.requests == []

        world.environ["SYMBOLS"] = "AAPL,IBM,MSFT"
        world.run()


def test_a_closed_market_is_reported_and_takes_no_claim(world: World) -> None:
    world.now, world.is_open = "2026-01-10T09:35:00-05:00", False

    result = world.run()

    assert (result.outcome, result.run) == ("CLOSED", None)
    assert "Monday 2026-01-12 at 09:30" in result.message
    assert world.stored() == []


def test_a_dry_run_at_night_continues_with_the_last_session(world: World) -> None:
    world.now, world.is_open = "2026-01-06T03:00:00-05:00", False

    result = world.run({"dry_run": True})

    run = run_of(result)
    assert (result.outcome, run.session, run.sends_orders) == ("OPEN", date(2026, 1, 5), False)
    assert run.journal == "runs/2026-01-05/2026-01-05-day/dry-run/one/"
    assert bars_of(world, result)["AAPL"].at[-1].date() == date(2026, 1, 2)
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


def test_live_refuses_the_keys_of_another_account(world: World) -> None:
    world.environ.update(TRADING_MODE="live", LIVE_ACCOUNT_NUMBER="999999999")

    with pytest.raises(ConfigurationError, match="LIVE_ACCOUNT_DIFFERS"):
        world.run()

    assert world.stored() == []


def test_live_is_halted_until_somebody_says_otherwise(world: World) -> None:
    world.environ.update(TRADING_MODE="live", LIVE_ACCOUNT_NUMBER=ACCOUNT["account_number"])

    assert snapshot_of(world, world.run()).trading_state is TradingState.HALTED


@pytest.mark.parametrize(
    ("flags", "reported"),
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
    world: World, flags: dict[str, Any], reported: str, given: Any
) -> None:
    world.server.on("GET /v2/account", ACCOUNT | flags)

    with pytest.raises(AccountBlockedError, match=rf"ACCOUNT_BLOCKED: blocked_by={reported}\."):
        world.run(given)

    assert world.stored() == []


ONLY_SELLS = {"admin_configurations": {"restrict_to_liquidation_reasons": {"ach_return": True}}}


@pytest.mark.parametrize("given", [{}, {"report_only": True}, {"dry_run": True}])
def test_an_account_that_may_only_sell_reduces_whatever_the_switch_says(
    world: World, given: Any
) -> None:
    world.server.on("GET /v2/account", ACCOUNT | ONLY_SELLS)

    snapshot = snapshot_of(world, world.run(given))

    assert snapshot.trading_state is TradingState.REDUCING
    assert snapshot.trading_state_reason == "account may only sell: ach_return"
    assert any("only sell (ach_return)" in each for each in snapshot.warnings)
    with pytest.raises(client("ssm").exceptions.ParameterNotFound):
        client("ssm").get_parameter(Name=STATE_NAME)


def test_a_halted_desk_stays_halted_though_its_account_may_sell(world: World) -> None:
    world.server.on("GET /v2/account", ACCOUNT | ONLY_SELLS)
    client("ssm").put_parameter(Name=STATE_NAME, Type="String", Value="HALTED by me")

    snapshot = snapshot_of(world, world.run())

    assert (snapshot.trading_state, snapshot.trading_state_reason) == (TradingState.HALTED, "by me")


def test_a_report_goes_out_though_the_account_may_not_trade(world: World) -> None:
    world.server.on("GET /v2/account", ACCOUNT | {"trade_suspended_by_user": True})

    (warning,) = [
        each
        for each in snapshot_of(world, world.run({"report_only": True})).warnings
        if "blocks this account" in each
    ]

    assert "(trade_suspended_by_user)" in warning


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


def test_a_dry_run_writes_only_below_its_own_name(world: World) -> None:
    world.run({"dry_run": True})

    assert all(each.startswith(f"{JOURNAL}dry-run/one/") for each in world.stored())


def test_the_broker_is_asked_for_no_order_by_fetching(world: World) -> None:
    world.run()

    assert {each.method for each in world.server.requests} == {"GET"}


def test_no_key_reaches_the_journal_or_the_result(world: World) -> None:
    result = world.run()

    stored = [
        client("s3").get_object(Bucket=world.store.bucket, Key=key)["Body"].read().decode()
        for key in world.stored()
    ]
    assert "MARKED" not in "".join([*stored, repr(result)])
