"""What the desk is owed counts from its ex-date, once, and only while it is still expected."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from algotrader.accounting.performance import advance_track, profit_by_symbol
from algotrader.accounting.receivables import (
    Listing,
    describe_receivables,
    dividend_part,
    list_conversions,
    list_receivables,
)
from algotrader.model import (
    Activity,
    Conversion,
    CorporateAction,
    NewShares,
    Receivable,
    Track,
)
from tests.support.performance_looks import (
    AFTER_CLOSE,
    DIVIDEND,
    FRIDAY,
    HELD,
    MONDAY,
    TUESDAY,
    ledger,
    look,
    next_day,
    prices,
    row,
)
from tests.support.receivables import PAID, PAYABLE, D, carried, ex, later, listing, made


def paid(amount: str = "20", day: date = PAYABLE, **changes: Any) -> Activity:
    return row(DIVIDEND, amount, day=day, **changes)


def test_a_dividend_is_due_from_its_ex_date_and_its_row_pays_it() -> None:
    first, then = ex(PAID), later(PAID, day=PAYABLE, statement=(paid(),))

    due = carried(look(session=FRIDAY), first)
    assert (made(due), profit_by_symbol(due)[0].dividends) == (0, 20)
    assert due.receivables[0].value == 20

    track = carried(look(session=FRIDAY), first, later(PAID), then, then)
    assert (made(track), track.index, track.receivables[0].value) == (0, 1, 0)
    assert track.profit == 80 + 20  # ten shares bought at 90, now at 98


@pytest.mark.parametrize(
    ("qty", "rows", "left"),
    [
        (10, ("20",), 0),
        (10, ("19.99",), 0),
        (10, ("14", "6"), 0),  # two parts of one dividend
        (10, ("14",), 6),
        (10, ("20", "-3"), -3),  # the tax on it is a loss
        (50, ("100",), 0),  # the user holds 40 of the account's shares
        (None, ("20",), 0),  # the row does not say for how many shares
    ],
)
def test_a_receivable_ends_when_its_rows_have_paid_it(
    qty: int | None, rows: tuple[str, ...], left: int
) -> None:
    shares = None if qty is None else D(qty)
    statement = tuple(paid(each, qty=shares, activity_id=each) for each in rows)
    track = carried(ex(PAID), later(PAID, day=PAYABLE, statement=statement, shares={}))

    assert sum((each.value for each in track.receivables), D(0)) == max(left, 0)
    assert round(made(track), 1) == min(left, 0)


def test_a_tax_that_comes_first_leaves_the_dividend_due() -> None:
    track = carried(ex(PAID), later(PAID, statement=(paid("-3", day=TUESDAY),)))

    assert (track.receivables[0].value, made(track)) == (20, -3)


def test_a_tax_without_a_quantity_counts_although_the_shares_were_sold() -> None:
    sold = ledger("80")  # ten shares sold at 98
    tax = paid("-3", qty=None, activity_id="tax")
    track = carried(
        ex(PAID),
        later(PAID, ledger=sold, shares={}),
        later(PAID, day=PAYABLE, ledger=sold, before=sold, statement=(paid(), tax), shares={}),
    )

    assert track.profit == 100 - 3


def test_an_ex_date_makes_no_profit_if_the_shares_at_the_close_are_unknown() -> None:
    assert made(carried(ex(PAID, before=None))) == 0


def test_shares_without_a_price_before_the_ex_date_make_no_profit() -> None:
    unpriced = look(session=FRIDAY, prices={}, closes={})

    track = carried(unpriced, ex(PAID, closes={}))

    assert (made(track), track.index) == (0, 1)


def test_a_dividend_stays_due_after_the_shares_were_sold() -> None:
    sold = ledger("80")  # ten shares sold at 98
    track = carried(
        ex(PAID),
        later(PAID, ledger=sold, shares={}),
        later(PAID, day=PAYABLE, ledger=sold, before=sold, statement=(paid(),), shares={}),
    )

    assert (track.profit, track.index) == (100, 1)


@pytest.mark.parametrize(("amount", "rest"), [("150", {2: 20, 15: 0}), ("20", {2: 0, 15: 150})])
def test_two_dividends_of_a_symbol_are_each_paid_by_their_own_row(
    amount: str, rest: dict[int, int]
) -> None:
    special = replace(PAID, cash=D(15), payable=PAYABLE + timedelta(days=5))
    both = ex(PAID, special, prices=prices(AAPL="83"), left=prices(AAPL="17"))
    first = later(PAID, special, day=PAYABLE, statement=(paid(amount),))

    track = carried(both, replace(first, prices=prices(AAPL="83"), closes=prices(AAPL="83")))

    assert {each.cash: each.value for each in track.receivables} == rest
    assert (made(track), track.index) == (0, 1)


@pytest.mark.parametrize("amount", ["80", "-12"])
def test_a_dividend_of_the_user_is_not_the_desks_if_the_desk_bought_after_the_ex_date(
    amount: str,
) -> None:
    none = ledger()
    users = paid(amount, qty=D(40))
    track = carried(
        ex(PAID, ledger=none, before=none, listing=listing(PAID, qty="0")),
        later(PAID, day=PAYABLE, statement=(users,), shares=prices(AAPL="50")),
    )

    assert made(track) == 0


def test_a_dividend_that_was_listed_on_its_payment_counts_for_the_shares_of_its_ex_date() -> None:
    sold = ledger("80")
    unlisted = later(day=TUESDAY, ledger=sold, shares={}, listing=Listing((), FRIDAY))
    on_payment = later(
        PAID,
        day=PAYABLE + timedelta(days=1),
        ledger=sold,
        before=sold,
        statement=(paid(),),
        shares={},
        listing=listing(PAID),
    )

    track = carried(look(), unlisted, on_payment)

    assert track.profit == 80 + 20


def test_of_two_equal_dividends_a_row_pays_the_one_of_its_day() -> None:
    special = replace(PAID, ex_date=TUESDAY, payable=TUESDAY + timedelta(days=1))
    day = TUESDAY + timedelta(days=2)
    row_of_special = paid(day=TUESDAY + timedelta(days=1))

    track = carried(
        ex(PAID),
        later(PAID, special, actions=(special,), listing=listing(PAID, special)),
        later(PAID, special, day=day, statement=(row_of_special,)),
    )

    assert {each.payable: each.is_over for each in track.receivables} == {
        PAYABLE: False,
        special.payable: True,
    }


def test_a_dividend_that_is_no_longer_listed_is_lost_and_one_listed_again_is_due_again() -> None:
    gone, back = later(), later(PAID, at=AFTER_CLOSE + timedelta(days=1))

    canceled = carried(ex(PAID), gone)
    assert made(canceled) == -20
    assert made(carried(ex(PAID), replace(gone, listing=Listing((), since=MONDAY)))) == -20
    assert made(advance_track(canceled, back)) == 0
    (words,) = describe_receivables(carried(ex(PAID)).receivables, canceled.receivables, "desk")
    assert words.startswith("AAPL: the cash dividend of 2024-03-04 is no longer listed, so")


@pytest.mark.parametrize(
    "blind",
    [Listing(), Listing((), since=TUESDAY)],
    ids=["the broker lists nothing", "the list begins later"],
)
def test_a_list_that_begins_after_the_ex_date_cancels_nothing(blind: Listing) -> None:
    track = carried(ex(PAID), later(listing=blind))

    assert (made(track), track.receivables[0].value) == (0, 20)


def test_a_dividend_with_changed_terms_replaces_the_first_for_the_same_shares() -> None:
    more = replace(PAID, cash=D("2.50"))

    track = carried(ex(PAID), later(more, listing=Listing((more,), FRIDAY)))

    assert made(track) == 5
    assert sum((each.value for each in track.receivables), D(0)) == 25


@pytest.mark.parametrize(("days", "value"), [(10, 20), (11, 0)])
def test_a_dividend_unpaid_ten_days_after_its_day_of_payment_is_a_loss(
    days: int, value: int
) -> None:
    monday = carried(ex(PAID))

    track = advance_track(monday, later(PAID, day=PAYABLE + timedelta(days=days)))

    assert (track.receivables[0].value, made(track)) == (value, value - 20)
    words = describe_receivables(monday.receivables, track.receivables, "desk")
    assert bool(words) == (not value)
    assert all("was not paid, so profit and loss no longer include 20.00" in each for each in words)
    assert describe_receivables(track.receivables, track.receivables, "desk") == ()


@pytest.mark.parametrize(("days", "known"), [(120, True), (121, False)])
def test_a_receivable_that_is_over_is_kept_for_120_days_for_late_taxes(
    days: int, *, known: bool
) -> None:
    over = carried(ex(PAID), later(PAID, day=PAYABLE, statement=(paid(),)))

    track = advance_track(
        over, later(day=MONDAY + timedelta(days=days), listing=Listing((), TUESDAY))
    )

    assert bool(track.receivables) is known


def test_a_dividend_without_a_day_of_payment_is_due_for_120_days() -> None:
    monday = carried(ex(replace(PAID, payable=None)))

    for days, value in ((120, 20), (121, 0)):
        track = advance_track(
            monday, later(day=MONDAY + timedelta(days=days), listing=Listing((), TUESDAY))
        )
        assert track.standings["AAPL"].dividends == value


@pytest.mark.parametrize(
    ("payable", "is_due"),
    [(PAYABLE, True), (TUESDAY, True), (MONDAY, False), (None, False)],
)
def test_a_dividend_that_was_listed_late_is_due_if_its_payment_is_still_to_come(
    payable: date | None, *, is_due: bool
) -> None:
    action = replace(PAID, payable=payable)
    seen = later(action, listing=listing(action))

    track = carried(look(prices=prices(AAPL="98")), seen)

    assert bool(track.receivables) is is_due
    assert made(track) == (20 if is_due else 0)


@pytest.mark.parametrize("is_paid", [False, True])
def test_an_ex_date_that_no_run_saw_makes_no_gain_at_the_next_run(*, is_paid: bool) -> None:
    """A desk that runs once a week first sees the dividend after the close has fallen."""
    thursday = TUESDAY + timedelta(days=2)
    action = replace(PAID, ex_date=TUESDAY, payable=TUESDAY + timedelta(days=1))
    statement = (paid(day=TUESDAY + timedelta(days=1)),) if is_paid else ()
    seen = later(action, day=thursday, listing=listing(action), statement=statement)

    track = carried(look(), seen)

    assert (made(track), track.index) == (0, 1)
    assert track.standings["AAPL"].dividends == 20
    assert advance_track(track, seen) == track


def test_a_dividend_that_was_listed_after_its_payment_counts_once() -> None:
    action = replace(PAID, payable=TUESDAY)
    row_first = later(statement=(paid(day=TUESDAY),))

    track = carried(
        look(prices=prices(AAPL="98")),
        row_first,
        replace(row_first, listing=listing(action), at=AFTER_CLOSE + timedelta(days=1)),
    )

    assert (made(track), track.receivables[0].value) == (20, 0)


def test_a_dividend_that_is_paid_before_its_ex_date_counts_on_the_ex_date() -> None:
    """The exchange sets such a late ex-date for a dividend of a quarter of the price or more."""
    large = CorporateAction("AAPL", "cash_dividend", TUESDAY, None, cash=D(30), payable=MONDAY)
    statement = (paid("300", day=MONDAY),)
    monday = look(listing=listing(large, qty="0"), statement=statement)
    tuesday = next_day(
        "70",
        actions=(large,),
        listing=listing(large),
        left=prices(AAPL="30"),
        statement=statement,
    )

    before = carried(look(session=FRIDAY), monday)
    assert (made(before), before.index, before.counted) == (0, 1, ())

    track = advance_track(before, tuesday)
    assert (made(track), track.index, track.peak) == (0, 1, 1)
    assert profit_by_symbol(track)[0].dividends == 300
    assert (track.receivables[0].value, len(track.counted)) == (0, 1)
    assert advance_track(track, tuesday) == track


def test_the_desks_part_of_a_dividend_is_never_more_than_the_account_received() -> None:
    assert dividend_part(paid("5", qty=D(10)), D(20), {}) == 5


def test_a_listed_conversion_lasts_as_long_as_the_ledger_shows_the_old_shares() -> None:
    renamed = CorporateAction(
        "AAPL", "name_change", MONDAY, None, ("NEW",), shares=(NewShares("NEW", D(1)),)
    )
    became = {"AAPL": Conversion(MONDAY, D(0), {"NEW": D(1)})}

    assert list_conversions({}, listing(renamed), HELD, MONDAY) == became
    assert list_conversions({}, listing(renamed), HELD, FRIDAY) == {}
    assert list_conversions(became, Listing(), HELD, TUESDAY) == became
    assert list_conversions(became, Listing((), TUESDAY), HELD, TUESDAY) == became
    assert list_conversions(became, Listing((), FRIDAY), HELD, TUESDAY) == {}
    assert list_conversions(became, listing(renamed), ledger(), TUESDAY) == {}


def test_the_same_dividend_listed_twice_counts_once() -> None:
    found = list_receivables(None, listing(PAID, replace(PAID)), MONDAY, FRIDAY)

    assert [each.qty for each in found] == [10]
    assert isinstance(found[0], Receivable)


def test_a_track_stored_before_receivables_existed_can_still_be_read() -> None:
    stored = msgspec.to_builtins(carried(ex(PAID)))
    del stored["receivables"], stored["conversions"]
    stored["entitled"] = {"AAPL": {"ex_date": "2024-03-04", "qty": "10"}}

    track = msgspec.json.decode(msgspec.json.encode(stored), type=Track)

    assert (track.receivables, track.conversions, track.index) == ((), {}, 1)
