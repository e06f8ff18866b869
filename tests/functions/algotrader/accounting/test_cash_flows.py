"""A day's deposits are those that the broker reports, or unknown. The desk never guesses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.accounting.cash_flows import (
    CashCheck,
    Deposits,
    check_cash,
    deposits_between_closes,
    deposits_since_close,
)
from algotrader.model import Account, Activity, ActivityKind, CashLook, Fill
from tests.support.desk_world import account
from tests.support.performance_looks import (
    AFTER_CLOSE,
    BELL,
    CASH_FLOW,
    DIVIDEND,
    FRIDAY,
    MONDAY,
    row,
)

D = Decimal
CLOSE = datetime(2024, 3, 1, 21, tzinfo=UTC)
MONDAYS_CLOSE = datetime(2024, 3, 4, 21, tzinfo=UTC)
UNKNOWN = (ActivityKind.SHARE_FLOW, ActivityKind.OTHER)
INTERNAL = (DIVIDEND, ActivityKind.COST, ActivityKind.SHARE_CHANGE)


def since_close(*rows: Activity, adjustments: str = "0") -> Deposits:
    return deposits_since_close(rows, D(adjustments), CLOSE, AFTER_CLOSE)


def amount(*rows: Activity, adjustments: str = "0") -> Decimal | None:
    return since_close(*rows, adjustments=adjustments).amount


def on_monday(*rows: Activity, listed: str | None = None) -> Deposits:
    figure = None if listed is None else D(listed)
    return deposits_between_closes(rows, figure, CLOSE, MONDAYS_CLOSE)


def test_deposits_less_withdrawals_of_the_day_are_summed() -> None:
    rows = (row(CASH_FLOW, "500"), row(CASH_FLOW, "-200"), row(CASH_FLOW, "50"))

    assert amount(*rows) == 350
    assert amount(*rows, adjustments="350") == 350
    assert on_monday(*(replace(each, at=BELL) for each in rows)).amount == 350


@pytest.mark.parametrize("kind", INTERNAL)
def test_dividends_interest_fees_and_the_cash_of_corporate_actions_are_profit(
    kind: ActivityKind,
) -> None:
    rows = (row(CASH_FLOW, "500", at=BELL), row(kind, "9", at=BELL, symbol="IBM"))

    assert amount(*rows) == 500
    assert amount(*rows, adjustments="500") == 500
    # The account's own figure may contain every cash movement that is not a trade.
    assert amount(*rows, adjustments="509") == 500
    assert on_monday(*rows, listed="500").amount == 500


@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_activity_of_unknown_value_makes_the_profit_unknown_and_the_reason_names_it(
    kind: ActivityKind,
) -> None:
    moved = row(kind, "0", symbol="XOM", description="journal of shares (JNLS)", at=BELL)

    for found in (since_close(moved), on_monday(moved), on_monday(moved, listed="0")):
        assert found.amount is None
        assert "journal of shares (JNLS) XOM" in found.problem
    undated = replace(moved, at=None, day=FRIDAY)
    assert since_close(undated).amount is None
    assert since_close(undated, row(CASH_FLOW, "20"), adjustments="20").amount is None
    assert on_monday(replace(moved, at=CLOSE - timedelta(hours=1))).amount == 0
    assert on_monday(replace(moved, at=MONDAYS_CLOSE + timedelta(hours=1))).amount == 0


def test_a_row_counts_by_its_instant_or_without_one_by_its_day() -> None:
    friday_evening = row(CASH_FLOW, "1", day=FRIDAY, at=CLOSE + timedelta(hours=1))
    friday_noon = row(CASH_FLOW, "20", day=FRIDAY, at=CLOSE - timedelta(hours=4))
    thursday = row(CASH_FLOW, "300", day=FRIDAY - timedelta(days=1))
    weekend = row(CASH_FLOW, "4000", day=FRIDAY, at=CLOSE + timedelta(days=1))
    monday = row(CASH_FLOW, "50000")

    assert amount(friday_evening, friday_noon, thursday, weekend, monday) == 54001
    dated = (friday_evening, friday_noon, thursday, weekend)
    assert on_monday(*dated).amount == 4001
    # A row's day does not matter if the row has an instant.
    assert on_monday(row(CASH_FLOW, "7", day=FRIDAY - timedelta(days=900), at=BELL)).amount == 7


def test_a_row_without_an_instant_on_the_day_of_a_close_may_be_from_before_or_after_it() -> None:
    friday, monday = row(CASH_FLOW, "300", day=FRIDAY), row(CASH_FLOW, "20")

    found = since_close(friday, monday)
    assert found.amount is None
    assert "300.00" in found.problem
    assert on_monday(friday).amount is None
    assert on_monday(monday).amount is None
    assert on_monday(monday, listed="20").amount is None
    # The account's own figure decides.
    assert amount(friday, monday, adjustments="20") == 20
    assert amount(friday, monday, adjustments="320") == 320
    assert amount(friday, monday, adjustments="300") is None
    # Two equal and opposite transfers in one day may lie on different sides of the close.
    assert amount(friday, row(CASH_FLOW, "-300", day=FRIDAY), monday) is None
    opposite = (friday, row(CASH_FLOW, "-300", day=FRIDAY), monday)
    assert amount(*opposite, adjustments="20") is None
    # A dividend on that day is not a deposit.
    assert amount(row(DIVIDEND, "300", day=FRIDAY, symbol="IBM"), monday) == 20


def test_a_deposit_after_an_early_close_may_be_in_the_equity_of_16_00() -> None:
    """Alpaca's last equity is that of 16:00 in New York, also on a day that ends at 13:00."""
    early = datetime(2024, 11, 29, 18, tzinfo=UTC)
    later = early + timedelta(days=3)
    deposit = row(CASH_FLOW, "5000", at=early + timedelta(hours=2), day=early.date())

    for found in (
        deposits_since_close((deposit,), D(0), early, later),
        deposits_between_closes((deposit,), None, early, later),
        deposits_between_closes((deposit,), None, early - timedelta(days=2), early),
    ):
        assert found.amount is None
        assert "5000.00" in found.problem
    at_four = replace(deposit, at=early + timedelta(hours=3, seconds=1))
    assert deposits_since_close((at_four,), D(0), early, later).amount == 5000


@pytest.mark.parametrize("listed", ["0", "400"])
def test_two_figures_that_differ_are_reported_and_neither_is_used(listed: str) -> None:
    deposit = row(CASH_FLOW, listed, at=BELL)

    for found in (since_close(deposit, adjustments="500"), on_monday(deposit, listed="500")):
        assert found.amount is None
        assert "500.00" in found.problem
        assert f"{listed}.00" in found.problem
    assert on_monday(deposit, listed=listed).amount == D(listed)
    assert on_monday(row(CASH_FLOW, "5", at=BELL), listed="0").amount is None


def test_what_moves_while_the_run_reads_makes_the_profit_unknown() -> None:
    now = AFTER_CLOSE
    assert amount(row(CASH_FLOW, "7", at=now)) == 7
    assert amount(row(CASH_FLOW, "7", at=now + timedelta(seconds=1))) is None
    assert amount(row(DIVIDEND, "7", at=now + timedelta(seconds=1))) == 0


@pytest.mark.parametrize(
    ("after_close", "counts"), [(timedelta(0), False), (timedelta(microseconds=1), True)]
)
def test_a_row_at_the_very_instant_of_the_close_belongs_to_the_day_before(
    after_close: timedelta, *, counts: bool
) -> None:
    late = row(CASH_FLOW, "7", day=FRIDAY, at=CLOSE + after_close)
    assert amount(late) == (7 if counts else 0)
    assert on_monday(late).amount == (7 if counts else 0)
    assert on_monday(replace(late, at=MONDAYS_CLOSE + after_close)).amount == (0 if counts else 7)


@pytest.mark.parametrize(("figure", "taken"), [("20.009", 20), ("20.01", None), ("19.99", None)])
def test_less_than_a_cent_is_not_a_difference(figure: str, taken: int | None) -> None:
    deposit = row(CASH_FLOW, "20", at=BELL)
    assert amount(deposit, adjustments=figure) == taken
    assert on_monday(deposit, listed=figure).amount == taken


# The cash check.

NEXT_BELL = BELL + timedelta(days=1)
NOON = BELL + timedelta(hours=3)
LOOK = CashLook(BELL, D(1000), D(0), seen=())


def holds(cash: str, fees: str = "0") -> Account:
    return account(cash, pending_fees=D(fees))


def fill(cash: str, at: datetime = NOON, name: str = "") -> Fill:
    return Fill(name or f"fill-{cash}", at, D(cash))


def check(
    cash: str,
    rows: tuple[Activity, ...] | None = (),
    fills: tuple[Fill, ...] | None = (),
    *,
    last: CashLook | None = LOOK,
    now: datetime = NEXT_BELL,
    fees: str = "0",
) -> CashCheck:
    return check_cash(last, holds(cash, fees), now, rows, fills)


def test_fills_and_rows_since_the_last_look_prove_the_cash() -> None:
    rows = (row(CASH_FLOW, "500", at=NOON), row(DIVIDEND, "2", at=NOON))
    found = check("900", rows, (fill("-602"),))

    assert (found.problem, found.why_unproven(BELL, NEXT_BELL)) == ("", "")
    assert found.look == CashLook(NEXT_BELL, D(900), D(0), seen=())


@pytest.mark.parametrize(
    ("rows", "fills"),
    [
        ((), ()),
        ((row(CASH_FLOW, "499", at=NOON),), ()),
        ((row(CASH_FLOW, "500", at=BELL - timedelta(hours=1)),), ()),  # dated before the look
        ((), (fill("500", BELL - timedelta(hours=1)),)),
        ((row(CASH_FLOW, "500", day=FRIDAY),), ()),
    ],
    ids=["nothing", "too little", "a late row", "a late fill", "an old row without an instant"],
)
def test_cash_that_nothing_explains_is_unproven_until_the_next_look(
    rows: tuple[Activity, ...], fills: tuple[Fill, ...]
) -> None:
    found = check("1500", rows, fills)

    assert "cash is 1500.00" in found.problem
    assert found.why_unproven(CLOSE, MONDAYS_CLOSE) == found.problem
    assert found.why_unproven(CLOSE, BELL) == ""  # before the last look
    # The next run is proven from here, but Monday stays unproven.
    then = NEXT_BELL + timedelta(days=1)
    after = check("1500", rows, fills, last=found.look, now=then)
    assert after.problem == ""
    assert "2024-03-05 14:35 UTC" in after.why_unproven(CLOSE, MONDAYS_CLOSE)
    assert after.why_unproven(NEXT_BELL, then) == ""
    assert after.why_unproven(NEXT_BELL - timedelta(seconds=1), then) != ""


def test_a_deposit_that_appears_a_day_late_makes_both_days_unproven() -> None:
    first = check("6000")
    second = check(
        "6000",
        (row(CASH_FLOW, "5000", at=NEXT_BELL + timedelta(hours=3)),),
        last=first.look,
        now=NEXT_BELL + timedelta(days=1),
    )

    assert first.problem
    assert "add up to 11000.00" in second.problem
    assert second.why_unproven(BELL + timedelta(hours=1), NOON) == second.problem


def test_a_check_that_failed_long_ago_does_not_make_the_time_since_then_unproven() -> None:
    old = replace(LOOK, unproven_after=BELL - timedelta(days=90), unproven_until=CLOSE)

    found = check("1500", last=old)

    assert found.look is not None
    assert (found.look.unproven_after, found.look.unproven_until) == (BELL, NEXT_BELL)
    near = replace(old, unproven_after=CLOSE - timedelta(days=1))
    again = check("1500", last=near).look
    assert again is not None
    assert (again.unproven_after, again.unproven_until) == (near.unproven_after, NEXT_BELL)


def test_fees_that_are_not_booked_yet_are_not_a_difference() -> None:
    booked = row(ActivityKind.COST, "-3", at=NOON)
    assert check("997", fees="3").problem == ""  # taken, but not yet in the statement
    assert check("996.98", fees="3").problem != ""
    assert check("1000", (booked,), last=replace(LOOK, pending_fees=D(3))).problem == ""
    assert check("1000", (booked,)).problem != ""


def test_each_fill_may_be_rounded_by_half_a_cent() -> None:
    fills = tuple(fill("-1.001", name=str(n)) for n in range(10))
    assert check("990", (), fills).problem == ""
    assert check("989.92", (), fills).problem != ""
    assert check("999.99").problem == ""
    assert check("999.98").problem != ""
    # Activities from before the last look add no allowance for rounding.
    old = tuple(fill("-1", CLOSE, name=str(n)) for n in range(10))
    assert check("999.98", (), old).problem != ""


def test_a_fill_of_the_last_look_counts_once() -> None:
    # The look's instant comes from the clock, and the run reads fills a little later.
    early, late = fill("-5", BELL - timedelta(seconds=30)), fill("-7", BELL + timedelta(seconds=2))
    first = check("988", (), (early, late), last=None, now=BELL)
    assert first.look is not None
    assert first.look.seen == ("fill--5", "fill--7")

    assert check("988", (), (early, late), last=first.look).problem == ""
    new = fill("-9", BELL + timedelta(seconds=2))
    assert check("979", (), (early, late, new), last=first.look).problem == ""
    assert check("988", (), (early, late, new), last=first.look).problem != ""


def test_a_row_without_an_instant_counts_once() -> None:
    undated = row(CASH_FLOW, "50", day=MONDAY)
    first = check("1050", (undated,), now=BELL + timedelta(hours=1))
    assert first.problem == ""
    assert check("1050", (undated,), last=first.look).problem == ""
    tuesday = replace(undated, activity_id="other", day=NEXT_BELL.date())
    assert check("1100", (undated, tuesday), last=first.look).problem == ""


def test_the_first_look_trusts_the_statement() -> None:
    found = check("5000", last=None)

    assert (found.problem, found.why_unproven(CLOSE, BELL)) == ("", "")
    assert found.look is not None
    assert found.look.cash == 5000


@pytest.mark.parametrize(
    "unread",
    [{"rows": None, "fills": ()}, {"rows": (), "fills": None}],
    ids=["statement", "fills"],
)
def test_without_statement_or_fills_the_time_since_the_last_look_is_unproven(
    unread: dict[str, Any],
) -> None:
    found = check("1000", unread["rows"], unread["fills"])

    assert found.look == LOOK  # so the next run checks the whole time
    assert "could not be read" in found.problem
    assert found.why_unproven(CLOSE, BELL) == ""
    assert found.why_unproven(CLOSE, NOON) == found.problem
    first = check("1000", unread["rows"], unread["fills"], last=None)
    assert (first.look, first.why_unproven(CLOSE, BELL)) == (None, first.problem)
