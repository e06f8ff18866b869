"""A run measures profit and loss, stores them, and stops buying after too large a loss."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from msgspec.structs import replace

from algotrader.adapters.aws import client
from algotrader.contracts import FetchBarsResult
from algotrader.errors import ConfigurationError
from algotrader.model import Leg, Performance, SessionSummary, TradingState
from algotrader.model.settings import TEXT_TEMPLATE
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.services.books import RESET_KEY
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, STATE_NAME, TODAY, World
from tests.functions.fetch_bars.runs import (
    DESK,
    TRACK_KEY,
    settings_of,
    snapshot_of,
    track_of,
)

REPORT: dict[str, Any] = {"report_only": True, "scheduled_time": "2026-01-06T21:15:00Z"}
# The latest price is 101.5 and Monday's close of AAPL was 106.6, a loss of 5.10 a share on Tuesday.
LOST = Decimal("5.1")


def hold(world: World, qty: str = "100") -> None:
    """Record that the desk bought AAPL on Monday."""
    place = OrderPlace(DESK, datetime(2026, 1, 5, tzinfo=UTC).date(), "day", "AAPL", Leg.ENTRY, 0)
    world.trade(client_order_id(place), qty=qty, filled_qty=qty)
    world.server.on("GET /v2/positions", [{"symbol": "AAPL", "qty": qty, "avg_entry_price": "100"}])


def made(world: World, result: FetchBarsResult) -> Performance:
    found = snapshot_of(world, result).performance
    assert found is not None
    return found


def switch() -> str:
    return str(client("ssm").get_parameter(Name=STATE_NAME)["Parameter"]["Value"])


def set_switch(text: str) -> None:
    client("ssm").put_parameter(Name=STATE_NAME, Value=text, Type="String", Overwrite=True)


def after_the_close(world: World) -> None:
    world.now, world.is_open = "2026-01-06T16:15:02-05:00", False


def test_a_bell_reports_what_the_desk_made_since_the_close(world: World) -> None:
    hold(world)

    found = made(world, world.run())

    assert found.desk_profit == -100 * LOST
    (aapl,) = found.symbols
    assert (aapl.qty, aapl.price, aapl.realized) == (100, Decimal("101.5"), 0)
    assert found.benchmark == "SPY"
    assert found.returns.first_session == TODAY


def test_an_order_of_yesterday_that_filled_today_is_todays(world: World) -> None:
    hold(world)
    place = OrderPlace(DESK, datetime(2026, 1, 5, tzinfo=UTC).date(), "day", "AAPL", Leg.STOP, 0)
    world.trade(
        client_order_id(place),
        side="sell",
        filled_qty="10",
        filled_avg_price="104",
        submitted_at="2026-01-05T14:36:00Z",
        filled_at="2026-01-06T14:31:00Z",
    )

    found = made(world, world.run())

    assert found.realized == 10 * (104 - 100)
    assert found.desk_profit == 10 * (104 - Decimal("106.6")) - 90 * LOST


def test_a_report_gives_it_next_to_the_account_and_the_benchmark(world: World) -> None:
    hold(world)
    after_the_close(world)
    world.bars["SPY"] = [{**each, "c": 500} for each in world.bars["AAPL"]]
    world.assets["SPY"] = world.assets["AAPL"]

    snapshot = snapshot_of(world, world.run(REPORT))
    found = snapshot.performance

    assert found is not None
    assert found.desk_profit == -100 * LOST
    assert snapshot.since_close_pnl == Decimal(ACCOUNT["equity"]) - Decimal(ACCOUNT["last_equity"])
    # A new desk's index starts with this run, and so does the benchmark's.
    assert (found.returns.total.desk, found.returns.total.benchmark) == (0, 0)


def test_returns_continue_in_the_next_session_and_each_session_keeps_a_summary(
    world: World,
) -> None:
    hold(world)
    world.bars["SPY"] = [{**each, "c": 100} for each in world.bars["AAPL"]]
    world.assets["SPY"] = world.assets["AAPL"]
    world.run()
    world.now = "2026-01-07T09:35:02-05:00"
    trades = {name: {"t": world.now, "p": 101.5} for name in ("AAPL", "SPY")}
    world.server.on("GET /v2/stocks/trades/latest", lambda _: Answer({"trades": trades}))

    found = made(world, world.run()).returns

    assert found.first_session == TODAY
    assert found.last is not None
    assert found.last.after == date(2026, 1, 5)
    assert found.day.after == TODAY
    assert found.day.benchmark == Decimal("0.015")  # 101.5 after a close of 100
    assert found.total.benchmark == Decimal(0)  # 101.5 at both runs
    summaries = [key for key in world.stored() if "-sessions/" in key]
    assert summaries == [f"ledger/{DESK}-sessions/2026-01-0{day}.json" for day in (6, 7)]


def test_a_later_run_of_a_session_replaces_its_summary(world: World) -> None:
    hold(world)
    world.run()
    after_the_close(world)
    world.run(REPORT)
    key = f"ledger/{DESK}-sessions/2026-01-06.json"
    late = world.store.read(key, SessionSummary)
    assert late is not None
    assert late.run_id == "2026-01-06-report"
    assert late.holdings == {"AAPL": 100}


def test_a_run_that_is_earlier_than_the_summary_leaves_it(world: World) -> None:
    world.run()
    key = f"ledger/{DESK}-sessions/2026-01-06.json"
    bell = world.store.read(key, SessionSummary)
    assert bell is not None
    later = replace(bell, at=datetime(2026, 1, 6, 22, tzinfo=UTC), run_id="later")
    world.store.write(key, later)
    after_the_close(world)
    world.run(REPORT)

    assert world.store.read(key, SessionSummary) == later


def test_a_dry_run_keeps_no_summary(world: World) -> None:
    world.run({"dry_run": True})
    assert not [key for key in world.stored() if key.startswith("ledger/")]


@pytest.mark.parametrize("given", [{}, REPORT])
def test_a_wrong_text_template_stops_no_run_and_is_noted(
    world: World, given: dict[str, Any]
) -> None:
    world.environ["TEXT_TEMPLATE"] = "{head}: {ordrs}"
    if given:
        after_the_close(world)

    result = world.run(given)

    assert settings_of(world, result).text_template == TEXT_TEMPLATE
    note = "TextTemplate has the unknown field {ordrs}; did you mean orders"
    assert [each for each in snapshot_of(world, result).warnings if each.startswith(note)]


def test_a_plan_refuses_a_wrong_text_template_by_the_field_s_name(world: World) -> None:
    world.environ["TEXT_TEMPLATE"] = "{head}: {ordrs}"
    with pytest.raises(ConfigurationError, match=r"TEXT_TEMPLATE_INVALID: .*\{ordrs\}"):
        world.run({"dry_run": True})


def test_a_latest_price_from_before_the_previous_close_is_not_the_benchmarks_price(
    world: World,
) -> None:
    """Alpaca has returned a latest trade that was months old."""
    hold(world)
    world.bars["SPY"] = [{**each, "c": 100} for each in world.bars["AAPL"]]
    trades = {"AAPL": {"t": world.now, "p": 101.5}, "SPY": {"t": "2025-10-06T14:35:00Z", "p": 70}}
    world.server.on("GET /v2/stocks/trades/latest", lambda _: Answer({"trades": trades}))

    assert made(world, world.run()).returns.day.benchmark is None


@pytest.mark.parametrize("benchmark", ["SPY", ""])
def test_a_benchmark_without_a_price_or_without_a_name_stops_nothing(
    world: World, benchmark: str
) -> None:
    after_the_close(world)
    world.environ["BENCHMARK"] = benchmark

    found = made(world, world.run(REPORT))

    assert (found.benchmark, found.returns.day.benchmark) == (benchmark, None)


def test_a_scheduled_report_takes_its_runs_claim_and_the_next_is_a_duplicate(world: World) -> None:
    after_the_close(world)

    first, second = world.run(REPORT), world.run(REPORT, f"{ARN}-other")

    assert (first.outcome, second.outcome) == ("REPORT", "DUPLICATE")
    assert first.run is not None
    assert first.run.journal == "runs/2026-01-06/2026-01-06-report/"
    assert world.run({"report_only": True}, f"{ARN}-hand").outcome == "REPORT"


def test_a_scheduled_report_before_the_close_says_that_the_session_is_not_over(
    world: World,
) -> None:
    world.now = "2026-01-06T13:15:02-05:00"

    found = world.run({**REPORT, "scheduled_time": "2026-01-06T18:15:00Z"})

    assert (found.outcome, found.message.partition(".")[0]) == (
        "CLOSED",
        "The session is not over",
    )
    assert world.stored() == []
    assert world.run({"report_only": True}).outcome == "REPORT"


def test_a_report_that_failed_may_be_repeated(world: World) -> None:
    after_the_close(world)
    orders = world.server.scripts["GET /v2/orders"]
    world.server.on("GET /v2/orders", Answer(b"", 500))
    with pytest.raises(Exception, match="BROKER"):
        world.run(REPORT)
    world.server.scripts["GET /v2/orders"] = orders

    assert world.run(REPORT, f"{ARN}-again").outcome == "REPORT"


def test_a_days_loss_at_the_limit_sets_the_switch_and_this_run_obeys(world: World) -> None:
    hold(world)
    world.environ["CAPITAL"], world.environ["MAX_DAILY_LOSS"] = "10000", "0.05"

    snapshot = snapshot_of(world, world.run())

    assert snapshot.trading_state is TradingState.REDUCING
    assert snapshot.trading_state_reason.startswith("DAILY_LOSS: 5.0")
    assert "510.00 of 10150.00" in snapshot.trading_state_reason
    assert switch() == f"REDUCING {snapshot.trading_state_reason}"


def test_a_scheduled_report_sets_it_too_and_one_by_hand_only_reports(world: World) -> None:
    hold(world)
    after_the_close(world)
    set_switch("ACTIVE")
    world.environ["CAPITAL"] = "10000"

    by_hand = snapshot_of(world, world.run({"report_only": True}))
    assert by_hand.trading_state is TradingState.REDUCING
    assert any("still ACTIVE" in each for each in by_hand.warnings)
    assert (switch(), TRACK_KEY in world.stored()) == ("ACTIVE", False)

    world.run(REPORT)
    assert switch().startswith("REDUCING DAILY_LOSS")
    assert TRACK_KEY in world.stored()


def test_a_dry_run_obeys_a_limit_and_writes_neither_switch_nor_track(world: World) -> None:
    hold(world)
    set_switch("ACTIVE")
    world.environ["CAPITAL"] = "10000"

    assert snapshot_of(world, world.run({"dry_run": True})).trading_state is TradingState.REDUCING
    assert (switch(), TRACK_KEY in world.stored()) == ("ACTIVE", False)


@pytest.mark.parametrize("text", ["HALTED earnings", "REDUCING by hand", "OFF"])
def test_a_limit_leaves_any_other_state_as_it_was_set(world: World, text: str) -> None:
    hold(world)
    set_switch(text)
    world.environ["CAPITAL"] = "10000"

    snapshot_of(world, world.run())

    assert switch() == text


def test_a_switch_that_cannot_be_written_is_reported_and_obeyed_anyway(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(world)
    world.environ["CAPITAL"] = "10000"
    set_switch("ACTIVE")
    call = BaseClient._make_api_call

    def refused(self: BaseClient, operation: str, arguments: Any) -> Any:
        if operation == "PutParameter":
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", refused)

    snapshot = snapshot_of(world, world.run())

    assert snapshot.trading_state is TradingState.REDUCING
    assert any("AccessDeniedException" in each for each in snapshot.warnings)
    day = track_of(world).day
    assert day.counted_from == sum(each.profit for each in day.standings.values())


def test_after_a_resume_on_the_same_day_the_loss_counts_again(world: World) -> None:
    hold(world)
    world.environ |= {"CAPITAL": "10000", "SLOTS": "0935,1530"}
    world.run()
    set_switch("ACTIVE")
    world.now = "2026-01-06T15:30:02-05:00"

    second = snapshot_of(world, world.run(arn=f"{ARN}-second"))

    assert second.trading_state is TradingState.ACTIVE
    assert second.performance is not None
    assert second.performance.desk_profit == -100 * LOST  # the text still includes the whole day


def quote(world: World, price: float, at: str = "14:34:58") -> None:
    trades = {"AAPL": {"t": f"2026-01-06T{at}Z", "p": price}}
    world.server.on("GET /v2/stocks/trades/latest", {"trades": trades})


def test_one_wrong_print_raises_neither_peak_nor_worth_and_is_named(world: World) -> None:
    hold(world)
    world.environ |= {"CAPITAL": "12000", "SLOTS": "0935,1000"}
    quote(world, 1066)
    first = snapshot_of(world, world.run())
    worth = track_of(world).worth
    world.now = "2026-01-06T10:00:02-05:00"
    quote(world, 106.6, "15:00:00")
    second = snapshot_of(world, world.run(arn=f"{ARN}-2"))

    assert any("did not accept a price. AAPL: PRICE_DEVIATION" in each for each in first.warnings)
    assert not any("did not accept" in each for each in second.warnings)
    assert (track_of(world).peak, track_of(world).index, worth) == (1, 1, 12000)
    assert second.trading_state is TradingState.ACTIVE


def test_a_crash_brakes_the_run_and_a_wrong_print_leaves_no_drawdown_behind(world: World) -> None:
    hold(world)
    set_switch("ACTIVE")
    world.environ |= {"CAPITAL": "12000", "SLOTS": "0935,1000"}
    quote(world, 53.3)

    snapshot = snapshot_of(world, world.run())

    assert snapshot.trading_state_reason.startswith("DAILY_LOSS: 44.4")
    assert switch().startswith("REDUCING DAILY_LOSS")
    assert snapshot.performance is not None
    assert snapshot.performance.desk_profit == -5330  # the report includes the whole loss
    assert any("use the lower price" in each for each in snapshot.warnings)
    assert (track_of(world).peak, track_of(world).index) == (1, 1)

    # After a person resumes, the same loss does not stop the desk again on that day.
    set_switch("ACTIVE")
    world.now = "2026-01-06T10:00:02-05:00"
    quote(world, 53.3, "15:00:00")
    world.environ["MAX_DRAWDOWN"] = "1"
    assert snapshot_of(world, world.run(arn=f"{ARN}-2")).trading_state is TradingState.ACTIVE


def test_a_drawdown_reduces_again_after_a_resume_until_the_peak_is_reset(world: World) -> None:
    hold(world)
    world.environ |= {"MAX_DRAWDOWN": "0.01", "CAPITAL": "10000", "MAX_DAILY_LOSS": "1"}
    world.environ |= {"SLOTS": "0931,1000,1100,1200", "MAX_PRICE_AGE_SECONDS": "86400"}
    world.now = "2026-01-06T09:31:02-05:00"
    quotes = world.server.scripts["GET /v2/stocks/trades/latest"]
    world.server.on(
        "GET /v2/stocks/trades/latest",
        {"trades": {"AAPL": {"t": "2026-01-06T14:31:00Z", "p": 106.6}}},
    )
    assert snapshot_of(world, world.run()).trading_state is TradingState.ACTIVE
    world.server.scripts["GET /v2/stocks/trades/latest"] = quotes

    world.now = "2026-01-06T10:00:02-05:00"
    assert snapshot_of(world, world.run(arn=f"{ARN}-2")).trading_state_reason.startswith(
        "DRAWDOWN: 4.78"
    )

    set_switch("ACTIVE")
    world.now = "2026-01-06T11:00:02-05:00"
    assert snapshot_of(world, world.run(arn=f"{ARN}-3")).trading_state is TradingState.REDUCING

    set_switch("ACTIVE")
    world.store.write(RESET_KEY, {"at": "2026-01-06T16:30:00Z"})
    world.now = "2026-01-06T12:00:02-05:00"
    assert snapshot_of(world, world.run(arn=f"{ARN}-4")).trading_state is TradingState.ACTIVE
    assert track_of(world).peak == track_of(world).index


def test_a_repeated_run_counts_nothing_twice(world: World) -> None:
    hold(world)
    world.run()
    once = track_of(world)
    world.run()

    assert track_of(world).index == once.index
    assert track_of(world).standings == once.standings


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"desk": 5}'])
def test_a_track_that_cannot_be_read_starts_again_with_a_warning(
    world: World, content: bytes
) -> None:
    hold(world)
    client("s3").put_object(Bucket=world.store.bucket, Key=TRACK_KEY, Body=content)

    snapshot = snapshot_of(world, world.run())

    assert any("profit and loss start again" in each for each in snapshot.warnings)
    assert track_of(world).index == 1


def test_a_track_of_another_desk_is_left_out(world: World) -> None:
    world.run()
    other = replace(track_of(world), desk="ffffff", index=Decimal("0.5"))
    world.store.write(TRACK_KEY, other)

    snapshot = snapshot_of(world, world.run())

    assert (track_of(world).desk, track_of(world).index) == (DESK, 1)
    assert snapshot.trading_state is TradingState.ACTIVE


def test_a_dividend_of_the_day_is_the_desks_in_part(world: World) -> None:
    hold(world)
    world.server.on("GET /v2/positions", [{"symbol": "AAPL", "qty": "400", "avg_entry_price": "1"}])
    world.statement.append(
        {
            "id": "1",
            "activity_type": "DIV",
            "date": "2026-01-06",
            "net_amount": "200",
            "per_share_amount": "0.5",
            "symbol": "AAPL",
            "qty": "400",
        }
    )

    assert made(world, world.run()).dividends == 50


def test_a_symbol_without_a_close_is_named(world: World) -> None:
    hold(world)
    del world.bars["AAPL"]
    after_the_close(world)

    snapshot = snapshot_of(world, world.run(REPORT))

    assert any(each.startswith("AAPL has no price.") for each in snapshot.warnings)
