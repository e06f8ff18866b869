"""A day's deposits are what the broker reports, or unknown; the desk never guesses them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from algotrader.accounting.cash_flows import net_deposits
from algotrader.model import Activity, ActivityKind
from tests.support.performance_looks import AFTER_CLOSE, BELL, CASH_FLOW, DIVIDEND, FRIDAY, row

D = Decimal
CLOSE = BELL - timedelta(days=3)  # Friday's close


def amount(*rows: Activity, adjustments: str = "0") -> Decimal | None:
    return net_deposits(rows, D(adjustments), CLOSE, AFTER_CLOSE).amount


def test_deposits_less_withdrawals_of_the_day_are_summed() -> None:
    rows = (
        row(CASH_FLOW, "500"),
        row(CASH_FLOW, "-200"),
        row(CASH_FLOW, "50"),
        row(ActivityKind.OTHER, "9"),
    )

    assert amount(*rows) == 350
    assert amount(*rows, adjustments="350") == 350


def test_a_row_with_an_instant_counts_by_it_and_one_without_by_its_day() -> None:
    friday_evening = row(CASH_FLOW, "1", day=FRIDAY, at=CLOSE + timedelta(hours=1))
    friday_noon = row(CASH_FLOW, "20", day=FRIDAY, at=CLOSE - timedelta(hours=4))
    thursday = row(CASH_FLOW, "300", day=FRIDAY - timedelta(days=1))
    monday = row(CASH_FLOW, "50000")
    later = row(CASH_FLOW, "4000", at=AFTER_CLOSE + timedelta(hours=1))

    assert amount(friday_evening, friday_noon, thursday, monday, later) == 50001


def test_a_row_of_the_closes_own_day_without_an_instant_may_be_of_either_side() -> None:
    friday, monday = row(CASH_FLOW, "300", day=FRIDAY), row(CASH_FLOW, "20")

    found = net_deposits((friday, monday), D(0), CLOSE, AFTER_CLOSE)
    assert found.amount is None
    assert "300.00" in found.warnings[0]
    # The account's own figure takes precedence over the statement.
    assert amount(friday, monday, adjustments="20") == 20
    assert amount(friday, monday, adjustments="320") == 320
    assert amount(friday, monday, adjustments="300") is None
    # Two equal and opposite transfers in one day may lie on different sides of the close.
    assert amount(friday, row(CASH_FLOW, "-300", day=FRIDAY), monday) is None
    # A dividend on that day is not a deposit.
    assert amount(row(DIVIDEND, "300", day=FRIDAY, symbol="IBM"), monday) == 20


@pytest.mark.parametrize("listed", ["0", "400"])
def test_two_figures_that_differ_are_reported_and_neither_is_taken(listed: str) -> None:
    found = net_deposits((row(CASH_FLOW, listed),), D(500), CLOSE, AFTER_CLOSE)

    assert found.amount is None
    assert "500.00" in found.warnings[0]
    assert f"{listed}.00" in found.warnings[0]


def test_shares_that_were_moved_make_the_day_unknown() -> None:
    found = net_deposits(
        (row(ActivityKind.SHARE_FLOW, "0", symbol="XOM"),), D(0), CLOSE, AFTER_CLOSE
    )

    assert found.amount is None
    assert "XOM" in found.warnings[0]


def test_a_statement_that_cannot_be_read_leaves_the_accounts_own_figure_and_says_so() -> None:
    found = net_deposits(None, D(500), CLOSE, AFTER_CLOSE)

    assert found.amount == 500
    assert "could not be read" in found.warnings[0]


@pytest.mark.parametrize(
    ("after_close", "counts"), [(timedelta(0), False), (timedelta(microseconds=1), True)]
)
def test_what_came_at_the_close_s_own_instant_is_of_the_day_before(
    after_close: timedelta, *, counts: bool
) -> None:
    assert amount(row(CASH_FLOW, "7", day=FRIDAY, at=CLOSE + after_close)) == (7 if counts else 0)


@pytest.mark.parametrize(("ahead", "counts"), [(60, True), (61, False)])
def test_a_row_may_be_ahead_of_the_clock_by_a_minute(ahead: int, *, counts: bool) -> None:
    later = row(CASH_FLOW, "7", at=AFTER_CLOSE + timedelta(seconds=ahead))

    assert amount(later) == (7 if counts else 0)


@pytest.mark.parametrize(("figure", "taken"), [("20.009", 20), ("20.01", None), ("19.99", None)])
def test_less_than_a_cent_is_not_a_difference(figure: str, taken: int | None) -> None:
    assert amount(row(CASH_FLOW, "20"), adjustments=figure) == taken


def test_undated_money_explains_the_account_s_figure_to_less_than_a_cent() -> None:
    rows = (row(CASH_FLOW, "300", day=FRIDAY), row(CASH_FLOW, "20"))

    assert amount(*rows, adjustments="320.009") == D("320.009")
    assert amount(*rows, adjustments="320.01") is None
