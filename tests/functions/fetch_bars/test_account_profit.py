"""The account's profit is its change in equity less deposits, or unknown with the reason."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from algotrader.contracts import FetchBarsResult
from algotrader.messages import RunReport, Texts, make_texts
from algotrader.model import Snapshot
from tests.functions.algotrader.adapters.broker_answers import ACCOUNT
from tests.functions.algotrader.adapters.scripted_broker import Answer
from tests.functions.fetch_bars.conftest import ARN, World
from tests.functions.fetch_bars.runs import FLATTEN, TRACK_KEY, settings_of, snapshot_of, track_of

D = Decimal
HISTORY = "GET /v2/account/portfolio/history"
# The run is on Tuesday, 6 January, at 09:35. The last session is Monday's.
FRIDAY, MONDAY, TUESDAY = 1767402000, 1767661200, 1767747600  # 20:00 in New York
PLAIN = D(ACCOUNT["equity"]) - D(ACCOUNT["last_equity"])
BY_HAND: dict[str, Any] = {"report_only": True}


def cash(amount: str, created: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{amount}-{created}",
        "activity_type": "CSD",
        "date": "2026-01-05",
        "net_amount": amount,
        "created_at": created,
        **changes,
    }


def history(world: World, *equity: float, **cashflow: list[float]) -> None:
    """Let the broker report the equity at the closes from Friday on, and cash flows."""
    body = {
        "timestamp": [FRIDAY, MONDAY, TUESDAY][: len(equity)],
        "equity": list(equity),
        "profit_loss": [each - equity[0] for each in equity],
        "cashflow": cashflow,
    }
    world.server.on(HISTORY, body)


def account(world: World, **changes: Any) -> None:
    world.server.on("GET /v2/account", {**ACCOUNT, **changes})


def run(world: World, given: Any = None, arn: str = ARN) -> Snapshot:
    return snapshot_of(world, world.run(given, arn))


def reasons(snapshot: Snapshot) -> list[str]:
    return [each for each in snapshot.warnings if "the account's profit" in each]


def texts(world: World, result: FetchBarsResult) -> Texts:
    found = RunReport(ARN, result.run, settings_of(world, result), snapshot_of(world, result))
    return make_texts(found)


def test_a_deposit_of_the_day_before_is_in_no_profit(world: World) -> None:
    history(world, 94_000, 99_000, CSD=[0, 5000])
    account(world, equity="99000", last_equity="99000")
    world.statement.append(cash("5000", "2026-01-05T17:00:00Z"))

    result = world.run()
    found = snapshot_of(world, result)

    assert (found.last_session_pnl, found.since_close_pnl) == (0, 0)
    assert reasons(found) == []
    assert found.performance is not None
    assert found.performance.deposits == 0
    assert "last full session (2026-01-05): +$0.00" in texts(world, result).email


def test_a_report_by_hand_of_that_day_says_the_same(world: World) -> None:
    # It runs on Tuesday morning before the bell, so it reports Monday.
    world.now, world.is_open = "2026-01-06T08:00:00-05:00", False
    history(world, 94_000, 99_000, CSD=[0, 5000])
    world.statement.append(cash("5000", "2026-01-05T17:00:00Z"))

    result = world.run(BY_HAND)
    found = snapshot_of(world, result)

    assert (found.since_close_pnl, found.close_equity) == (0, 94_000)
    assert found.performance is not None
    assert found.performance.deposits == 5000
    assert "the account: +$0.00 (+0%), without deposits" in texts(world, result).email
    assert "day +$0 (+0.0%)" in texts(world, result).sms


@pytest.mark.parametrize(
    ("kind", "created", "last", "since"),
    [
        ("CSD", "2026-01-02T20:59:00Z", 500, PLAIN),  # before Friday's close
        ("JNLC", "2026-01-03T12:00:00Z", 300, PLAIN),  # on Saturday
        ("CSD", "2026-01-05T21:00:01Z", 500, PLAIN - 200),  # after Monday's close
        ("JNLC", "2026-01-06T14:35:02Z", 500, PLAIN - 200),
        ("CSD", "2026-01-06T14:35:03Z", 500, None),  # while the run reads
    ],
)
def test_a_deposit_counts_between_the_closes_where_it_came(
    world: World, kind: str, created: str, last: int, since: Decimal | None
) -> None:
    history(world, 98_500, 99_000, **{kind: [0, 500 - last]})
    world.statement.append(cash("200", created, activity_type=kind))

    found = run(world, {"dry_run": True})

    assert (found.last_session_pnl, found.since_close_pnl) == (last, since)


def test_a_withdrawal_is_no_loss(world: World) -> None:
    history(world, 101_500, 99_000, CSW=[0, -2500])
    account(world, equity="98900")
    world.statement.append(cash("-2500", "2026-01-05T15:00:00Z", activity_type="CSW"))
    world.statement.append(cash("-100", "2026-01-06T13:00:00Z", activity_type="CSW"))

    found = run(world)

    assert (found.last_session_pnl, found.since_close_pnl) == (0, 0)


@pytest.mark.parametrize("kind", ["DIVROC", "FEE", "MA"])
def test_dividends_interest_fees_and_cash_of_corporate_actions_stay_in_the_profit(
    world: World, kind: str
) -> None:
    history(world, 98_500, 99_000, **{kind: [0, 500]})
    world.statement.append(cash("500", "2026-01-05T15:00:00Z", activity_type=kind))
    world.statement.append(cash("1000.12", "2026-01-06T13:00:00Z", activity_type=kind))

    found = run(world)

    assert (found.last_session_pnl, found.since_close_pnl) == (500, PLAIN)


@pytest.mark.parametrize("kind", ["ACATS", "OCT"])
def test_a_move_of_unknown_value_makes_only_its_own_period_unknown(world: World, kind: str) -> None:
    history(world, 98_500, 99_000)
    world.statement.append(cash("0", "2026-01-05T15:00:00Z", activity_type=kind, symbol="XOM"))

    found = run(world)

    assert (found.last_session_pnl, found.since_close_pnl) == (None, PLAIN)
    (reason,) = reasons(found)
    assert f"({kind}) XOM" in reason
    assert reason.endswith("So the account's profit in the last session is unknown.")


def test_a_history_that_contradicts_the_statement_makes_the_session_unknown(world: World) -> None:
    history(world, 94_000, 99_000, CSD=[0, 5000])

    found = run(world)

    assert (found.last_session_pnl, found.since_close_pnl) == (None, PLAIN)
    (reason,) = reasons(found)
    assert "net deposits of 5000.00" in reason
    assert "lists 0.00" in reason


def test_the_account_s_own_figure_must_agree(world: World) -> None:
    history(world, 98_500, 99_000)
    world.statement.append(cash("500", "2026-01-06T14:00:00Z"))
    account(world, intraday_adjustments="700")

    found = run(world)

    assert (found.last_session_pnl, found.since_close_pnl) == (500, None)
    (reason,) = reasons(found)
    assert "700.00" in reason
    assert "500.00" in reason


def test_without_a_history_only_the_last_session_is_unknown(world: World) -> None:
    world.server.on(HISTORY, Answer({"message": "not found"}, 404))

    found = run(world)

    assert (found.last_session_pnl, found.since_close_pnl) == (None, PLAIN)
    (reason,) = reasons(found)
    assert "closes of 2026-01-02 and 2026-01-05" in reason


def test_without_a_statement_both_are_unknown_and_the_run_goes_on(world: World) -> None:
    history(world, 98_500, 99_000)
    world.server.on("GET /v2/account/activities", Answer({"message": "no such path"}, 404))

    result = world.run()
    found = snapshot_of(world, result)

    assert result.outcome == "OPEN"
    assert (found.last_session_pnl, found.since_close_pnl) == (None, None)
    email = texts(world, result).email
    assert "last full session (2026-01-05): unknown\n  since its close: unknown" in email
    (reason,) = reasons(found)
    assert reason == (
        "The broker's statement could not be read. So the account's profit in the last session "
        "and since its close is unknown."
    )


@pytest.mark.parametrize(
    ("stated", "since"), [("2026-01-05", PLAIN), ("2026-01-02", None), ("2026-01-06", None)]
)
def test_a_last_equity_of_another_day_is_not_taken(
    world: World, stated: str, since: Decimal | None
) -> None:
    account(world, balance_asof=stated)

    found = run(world)

    assert found.since_close_pnl == since
    assert (f"that of {stated}, not that of 2026-01-05" in " ".join(reasons(found))) == (
        since is None
    )


def test_a_report_after_the_broker_s_roll_takes_the_day_from_the_history(world: World) -> None:
    world.now, world.is_open = "2026-01-06T22:00:00-05:00", False
    account(world, balance_asof="2026-01-06", last_equity=ACCOUNT["equity"])
    history(world, 90_000, 99_000, 99_300)

    found = run(world, BY_HAND)

    assert found.since_close_pnl == 300


# The cash check from one run to the next.


def next_day(world: World, arn: str = f"{ARN}-2") -> Snapshot:
    """Run on Wednesday; Monday's and Tuesday's equity were 99,000."""
    world.now = "2026-01-07T09:35:02-05:00"
    body = {"timestamp": [MONDAY, TUESDAY], "equity": [99_000, 99_000], "profit_loss": [0, 0]}
    world.server.on(HISTORY, body)
    return run(world, arn=arn)


def trade(amount: str, at: str) -> dict[str, Any]:
    return {
        "id": f"fill-{at}",
        "activity_type": "FILL",
        "transaction_time": at,
        "side": "buy",
        "qty": "1",
        "price": amount,
        "symbol": "IBM",
    }


def test_a_run_stores_the_cash_and_the_next_run_checks_it(world: World) -> None:
    run(world)
    look = track_of(world).cash
    assert look is not None
    assert (look.cash, look.at) == (D("50000.50"), datetime.fromisoformat(world.now))

    # The user trades by hand, and the broker pays a dividend and charges a fee that it books later.
    world.fills.append(trade("100", "2026-01-06T18:00:00Z"))
    world.statement.append(cash("7", "2026-01-06T19:00:00Z", activity_type="DIV"))
    account(world, cash="49907.00", pending_reg_taf_fees="0.50")
    found = next_day(world)

    assert reasons(found) == []
    assert found.last_session_pnl == 0
    assert found.since_close_pnl == PLAIN


def test_a_stop_that_fills_while_the_run_reads_is_in_the_fills_and_in_the_cash(
    world: World,
) -> None:
    run(world)
    world.fills.append(trade("100", "2026-01-07T14:35:03Z"))
    then = {**ACCOUNT, "cash": "49900.50"}
    world.server.on("GET /v2/account", ACCOUNT, then)

    found = next_day(world)

    assert reasons(found) == []
    look = track_of(world).cash
    assert look is not None
    assert (look.cash, look.seen) == (D("49900.50"), ("fill-2026-01-07T14:35:03Z",))
    first, second = (
        each.query["after"]
        for each in world.server.asked("GET /v2/account/activities")
        if each.query["category"] == "trade_activity"
    )
    assert (first, second) == ("2026-01-06T14:34:02Z", "2026-01-06T14:34:02Z")


def test_cash_that_nothing_explains_makes_the_profit_unknown_until_its_session_is_over(
    world: World,
) -> None:
    run(world)
    account(world, cash="55000.50")  # 5,000 more, without a row in the statement
    second = next_day(world)

    assert (second.last_session_pnl, second.since_close_pnl) == (None, None)
    (reason,) = reasons(second)
    assert reason.startswith(
        "The account's cash is 55000.50, but its fills and its statement since 2026-01-06 14:35 "
        "UTC add up to 50000.50."
    )
    # A dry run sees the same and stores nothing. Thursday's run checks from Wednesday on.
    world.now = "2026-01-08T09:35:02-05:00"
    days = [TUESDAY, TUESDAY + 86_400]
    world.server.on(HISTORY, {"timestamp": days, "equity": [9e4, 9e4], "profit_loss": [0, 0]})
    before = track_of(world).cash
    dry = run(world, {"dry_run": True}, f"{ARN}-dry")
    assert track_of(world).cash == before
    third = run(world, arn=f"{ARN}-3")
    for each in (dry, third):
        assert (each.last_session_pnl, each.since_close_pnl) == (None, PLAIN)
        (reason,) = reasons(each)
        assert reason.startswith("Until 2026-01-07 14:35 UTC")


def test_fills_that_cannot_be_read_leave_the_last_look_for_the_next_run(world: World) -> None:
    run(world)
    before = track_of(world).cash
    world.fills.append({"id": "no fill"})

    second = next_day(world)

    assert (second.last_session_pnl, second.since_close_pnl) == (None, None)
    assert "list of fills could not be read" in reasons(second)[0]
    assert track_of(world).cash == before


def test_a_repeated_run_checks_nothing_twice(world: World) -> None:
    history(world, 98_500, 99_000)
    world.fills.append(trade("100", "2026-01-06T14:34:59Z"))
    run(world)
    first = track_of(world).cash
    again = run(world)

    assert reasons(again) == []
    assert track_of(world).cash == first


def test_an_older_track_without_cash_is_read_and_begins_to_check(world: World) -> None:
    run(world)
    stored = world.store.read(TRACK_KEY, dict[str, Any])
    assert stored is not None
    del stored["cash"]
    world.store.write(TRACK_KEY, stored)
    account(world, cash="1")

    found = next_day(world)

    assert reasons(found) == []
    assert track_of(world).cash is not None


def test_a_flatten_reports_the_same_figures(world: World) -> None:
    history(world, 94_000, 99_000, CSD=[0, 5000])
    world.statement.append(cash("5000", "2026-01-05T17:00:00Z"))

    found = run(world, FLATTEN)

    assert (found.last_session_pnl, found.since_close_pnl) == (0, PLAIN)
    assert found.performance is None
