"""The desk's profit counts only the desk's own fills, prices and dividends, without repeats."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.accounting.ex_dates import split_ratio
from algotrader.accounting.performance import (
    Observation,
    advance_track,
    carried_price,
    profit_by_symbol,
    statement_start,
)
from algotrader.accounting.receivables import dividend_part, is_dividend
from algotrader.model import Activity, ActivityKind, Ledger, Receivable, SymbolProfit, Track
from tests.support.performance_looks import (
    AFTER_CLOSE,
    BELL,
    CASH_FLOW,
    DIVIDEND,
    FRIDAY,
    MONDAY,
    TUESDAY,
    action,
    ledger,
    look,
    next_day,
    prices,
    row,
)

D = Decimal


DIVIDEND_OF_FRIDAY = Receivable(
    "AAPL", "cash_dividend", FRIDAY, qty=D(10), cash=D("0.5"), new="", rate=D(0), payable=None
)


def day_of(track: Track) -> Decimal:
    return sum((each.profit for each in profit_by_symbol(track)), D(0))


def carried(*looks: Observation) -> Track:
    track = None
    for each in looks:
        track = advance_track(track, each)
    assert track is not None
    return track


def test_a_rise_in_price_is_unrealized_profit_and_a_sell_realizes_it_at_average_cost() -> None:
    sold = ledger("60", AAPL=("6", "540"))  # sold 4 of 10 at 105; they cost 90 each

    track = advance_track(None, look(ledger=sold, prices=prices(AAPL="110")))

    (aapl,) = profit_by_symbol(track)
    assert aapl == SymbolProfit("AAPL", D(6), D(110), D(660), D(60), D(20), D(0))
    assert aapl.profit == 4 * 5 + 6 * 10


def test_a_symbol_bought_and_one_sold_out_in_the_session_are_both_reported() -> None:
    after = ledger("120", IBM=("5", "1000"))

    track = advance_track(None, look(ledger=after, prices=prices(IBM="190")))

    assert {each.symbol: each.profit for each in profit_by_symbol(track)} == {
        "AAPL": 20,
        "IBM": -50,
    }
    assert {each.symbol: each.qty for each in profit_by_symbol(track)} == {"AAPL": 0, "IBM": 5}


def test_a_split_overnight_is_not_profit() -> None:
    split = ledger(AAPL=("20", "900"))

    track = advance_track(
        None, look(ledger=split, prices=prices(AAPL="50"), closes=prices(AAPL="100"))
    )

    assert day_of(track) == 0


def test_the_users_own_shares_do_not_count() -> None:
    alone = advance_track(None, look(prices=prices(AAPL="110")))
    beside = advance_track(
        None, look(prices=prices(AAPL="110"), shares=prices(AAPL="500", XOM="9"))
    )

    assert day_of(alone) == day_of(beside) == 100


def test_a_dividend_counts_only_for_the_shares_of_the_desk() -> None:
    paid = row(DIVIDEND, "25", qty=D(50))  # 0.50 a share on 50 shares, of which the desk holds 10

    track = advance_track(None, look(statement=(paid,), shares=prices(AAPL="50")))

    assert (day_of(track), profit_by_symbol(track)[0].dividends) == (5, 5)


def test_a_dividend_and_the_tax_on_it_are_both_counted() -> None:
    rows = (row(DIVIDEND, "5"), row(DIVIDEND, "-1.50"))

    assert day_of(advance_track(None, look(statement=rows))) == D("3.50")


@pytest.mark.parametrize(
    ("kind", "symbol", "is_one"),
    [
        (ActivityKind.DIVIDEND, "AAPL", True),
        (ActivityKind.DIVIDEND, "", False),
        (ActivityKind.SHARE_FLOW, "AAPL", False),
        (ActivityKind.CASH_FLOW, "AAPL", False),
        (ActivityKind.SHARE_CHANGE, "AAPL", False),
        (ActivityKind.OTHER, "AAPL", False),
    ],
)
def test_only_a_row_of_a_symbol_and_of_a_paying_kind_is_a_dividend(
    kind: ActivityKind, symbol: str, *, is_one: bool
) -> None:
    assert is_dividend(row(kind, "5", symbol=symbol)) is is_one


@pytest.mark.parametrize(
    ("held", "paid_on", "shares", "part"),
    [
        ("10", "10", "10", "5.00"),
        ("20", "10", "10", "5.00"),  # never more than the broker booked
        ("3", None, "10", "1.50"),
        ("3", None, "0", "0"),
        ("0", "10", "10", "0"),
        ("-5", "10", "10", "0"),
        ("1", "3", "3", "1.66"),
    ],
)
def test_the_desks_part_is_in_proportion_to_its_shares_and_never_more_than_the_row(
    held: str, paid_on: str | None, shares: str, part: str
) -> None:
    booked = row(DIVIDEND, "5", qty=None if paid_on is None else D(paid_on))

    assert dividend_part(booked, D(held), prices(AAPL=shares)) == D(part)


def test_a_row_is_counted_once_however_often_it_is_listed() -> None:
    paid = row(DIVIDEND, "5")

    track = carried(
        look(statement=(paid,)), look(statement=(paid,)), next_day("100", statement=(paid,))
    )

    assert track.profit == 100 + 5
    assert day_of(track) == 0


def test_a_late_row_counts_when_a_run_first_sees_it() -> None:
    late = row(DIVIDEND, "5", day=FRIDAY)

    for day in (FRIDAY, FRIDAY - timedelta(days=1)):  # the track begins here
        assert day_of(advance_track(None, look(statement=(replace(late, day=day),)))) == 0
    assert day_of(carried(look(), next_day("100", statement=(late,)))) == 5


def test_after_an_unreadable_statement_the_next_run_reads_from_the_last_reading_on() -> None:
    before = advance_track(None, look())
    track = advance_track(before, next_day("100", statement=None))

    assert statement_start(track, AFTER_CLOSE + timedelta(days=9)) == BELL - timedelta(days=7)
    assert statement_start(None, AFTER_CLOSE) == AFTER_CLOSE - timedelta(days=7)


def test_deposits_and_a_new_capital_do_not_change_the_index() -> None:
    rich = look(worth=D(1_000_000), at=AFTER_CLOSE)
    poor = next_day("100", worth=D(500))

    track = carried(look(), rich, poor)

    assert (track.index, track.peak, track.drawdown) == (1, 1, 0)


def test_the_index_grows_by_the_profit_on_the_capital_that_earned_it() -> None:
    fallen = look(prices=prices(AAPL="90"), worth=D(9900), at=AFTER_CLOSE)  # lost 100 of 10000
    more = next_day("80", worth=D(9800))  # lost 100 of 9900

    track = carried(look(), fallen, more)

    assert track.index == (D("0.99") * (1 - D(100) / 9900)).quantize(D("1e-12"))
    assert track.peak == 1


def test_a_loss_over_a_missed_day_counts_whole_and_once() -> None:
    missed = next_day("80", closes=prices(AAPL="95"))

    track = carried(look(), missed)

    assert track.index == D("0.98")
    assert day_of(track) == -150  # since the previous close, whatever the last observation was


def test_each_reset_of_the_peak_takes_effect_once() -> None:
    asked = {"reset_at": AFTER_CLOSE}
    down = look(prices=prices(AAPL="50"), at=AFTER_CLOSE)

    reset = carried(look(), down, replace(down, **asked))
    assert (reset.peak, reset.drawdown) == (reset.index, 0)

    further = advance_track(reset, next_day("40", **asked))
    assert further.drawdown > 0
    assert advance_track(further, next_day("40", reset_at=BELL)).drawdown == 0


def test_a_later_run_of_a_session_counts_from_the_same_close() -> None:
    first = look(prices=prices(AAPL="98"))
    second = look(prices=prices(AAPL="97"), before=None, closes={}, at=AFTER_CLOSE)

    assert day_of(carried(first, second)) == -30


def test_without_the_close_a_session_counts_from_the_nearest_observation() -> None:
    unknown = next_day("97", before=None, closes={})

    assert day_of(carried(look(prices=prices(AAPL="99")), unknown)) == -20
    assert day_of(carried(unknown)) == 0


def test_a_share_without_a_price_counts_at_its_cost() -> None:
    assert day_of(advance_track(None, look(prices={}, closes={}))) == 0


def test_a_missing_close_does_not_turn_a_loss_of_months_into_a_loss_of_the_day() -> None:
    old = ledger(AAPL=("100", "13000"))  # bought at 130, worth 100 for weeks

    first = advance_track(None, look(ledger=old, before=old, closes={}))
    assert day_of(first) == 0

    monday = advance_track(None, look(ledger=old, before=old))
    tuesday = advance_track(monday, next_day("99", ledger=old, before=old, closes={}))
    assert day_of(tuesday) == -100  # since the last observation


def test_a_close_that_is_missing_over_a_split_makes_no_profit_or_loss() -> None:
    before, after = ledger(AAPL=("10", "1300")), ledger(AAPL=("20", "1300"))
    split = {"before": before, "ledger": after, "closes": {}}
    actions = (action("forward_split", TUESDAY, "2"),)

    assert day_of(advance_track(None, next_day("50", actions=actions, **split))) == 0
    monday = advance_track(None, look(ledger=before, before=before))
    tuesday = advance_track(monday, next_day("50", actions=actions, **split))
    assert (day_of(tuesday), tuesday.index) == (0, 1)
    unseen = advance_track(monday, replace(next_day("50", actions=actions, **split), prices={}))
    assert (day_of(unseen), unseen.index) == (0, 1)


def test_a_price_that_is_missing_at_one_observation_makes_no_profit_or_loss() -> None:
    old = {"ledger": ledger(AAPL=("100", "13000")), "before": ledger(AAPL=("100", "13000"))}
    later = BELL + timedelta(minutes=30)

    for cost in ("13000", "7000"):
        held = dict.fromkeys(old, ledger(AAPL=("100", cost)))
        track = carried(look(**held), look(**held, prices={}, at=later), look(**held, at=later))
        assert (track.index, track.peak, day_of(track)) == (1, 1, 0)

        never = look(**held, prices={}, closes={})
        track = carried(never, look(**held, at=later))
        assert (track.index, track.peak, day_of(track)) == (1, 1, 0)


def test_a_withdrawal_before_the_run_does_not_relax_a_loss_limit() -> None:
    monday = advance_track(None, look(worth=D(100_000)))

    assert advance_track(monday, next_day("70", worth=D(7000))).day.worth == 7000
    assert advance_track(monday, next_day("70", worth=D(10**9))).day.worth == 100_000
    assert advance_track(monday, next_day("70", worth=D(0))).day.worth == 100_000


quantities = st.integers(0, 50).map(D)
dollars = st.decimals("0.01", 500, places=2)


@st.composite
def looks(draw: st.DrawFn) -> Observation:
    """Draw an observation of up to two holdings, with statement rows."""
    held = ledger(str(draw(dollars)), AAPL=(str(draw(quantities)), str(draw(dollars))))
    price = {"AAPL": draw(dollars)}
    amounts = st.decimals(-50, 50, places=2).map(str)
    statement = tuple(
        row(kind, amount) for kind in ("DIV", "CSD", "INT") for amount in draw(st.lists(amounts))
    )
    return look(
        ledger=held,
        before=draw(st.sampled_from([held, None])),
        prices=draw(st.sampled_from([price, {}])),
        worth=draw(st.decimals(0, 10**6, places=2)),
        statement=draw(st.sampled_from([statement, None])),
        shares=prices(AAPL="60"),
        reset_at=draw(st.sampled_from([None, BELL])),
    )


@given(first=st.none() | looks(), second=looks())
def test_a_repeated_observation_changes_nothing(
    first: Observation | None, second: Observation
) -> None:
    track = advance_track(None if first is None else advance_track(None, first), second)

    assert advance_track(track, second) == track


@given(looks(), st.decimals(-(10**6), 10**6, places=2), st.decimals(0, 10**6, places=2))
def test_no_deposit_is_ever_profit(plain: Observation, amount: Decimal, worth: Decimal) -> None:
    if plain.statement is None:
        return
    moved = replace(plain, statement=(*plain.statement, row(CASH_FLOW, str(amount))), worth=worth)
    before = advance_track(None, look())

    with_it, without = advance_track(before, moved), advance_track(before, plain)

    assert (with_it.index, with_it.standings) == (without.index, without.standings)


@given(st.lists(looks(), max_size=5))
def test_the_drawdown_is_a_fraction_and_the_peak_never_falls_by_itself(
    many: list[Observation],
) -> None:
    track = advance_track(None, look())
    for each in many:
        after = advance_track(track, replace(each, session=MONDAY, reset_at=None))
        assert after.peak >= track.peak
        assert 0 <= after.drawdown < 1
        track = after


def test_profit_realized_and_dividends_paid_before_the_session_are_not_its_profit() -> None:
    before, after = ledger("500", AAPL=("10", "900")), ledger("560", AAPL=("6", "540"))
    yesterday = advance_track(
        None, look(before=before, ledger=before, statement=(row(DIVIDEND, "5"),))
    )

    track = advance_track(yesterday, next_day("100", before=before, ledger=after))

    (aapl,) = profit_by_symbol(track)
    assert (aapl.realized, aapl.dividends, aapl.unrealized) == (60, 0, -40)


def test_a_dividend_on_a_single_share_or_less_counts() -> None:
    for shares in ("1", "0.5"):
        booked = row(DIVIDEND, "0.40", qty=D(shares))
        assert dividend_part(booked, D(shares), {}) == D("0.40")


@pytest.mark.parametrize(
    ("before", "after", "paid"),
    [
        (ledger(AAPL=("10", "1000")), ledger(), ()),  # the holding was sold at its cost
        (ledger(), ledger(AAPL=("1", "100")), ()),
        (ledger(), ledger("7"), ()),  # bought and sold within the session
        (ledger(), ledger("0"), (row(DIVIDEND, "5"),)),
    ],
)
def test_a_symbol_is_listed_if_the_desk_held_it_sold_it_or_earned_income_from_it(
    before: Ledger, after: Ledger, paid: tuple[Activity, ...]
) -> None:
    yesterday = replace(
        advance_track(None, look(ledger=before, before=before)),
        receivables=(replace(DIVIDEND_OF_FRIDAY, is_over=True),),
    )

    track = advance_track(yesterday, next_day("100", before=before, ledger=after, statement=paid))

    assert [each.symbol for each in profit_by_symbol(track)] == ["AAPL"]


def test_splits_multiply_up_only_for_their_own_symbol() -> None:
    splits = [
        action("forward_split", ratio="2"),
        replace(action("forward_split", ratio="5"), symbol="AA"),
        replace(action("forward_split", ratio="7"), symbol="AAPLX"),
        action("cash_dividend"),
        action("forward_split", ratio="3"),
    ]
    assert split_ratio(splits, "AAPL") == 6


def test_a_desk_worth_a_dollar_or_less_has_an_index_too() -> None:
    for worth, index in (("1", "1.5"), ("0.5", "2")):
        monday = advance_track(None, look(worth=D(worth)))
        track = advance_track(monday, next_day("100.05", worth=D("0.25")))
        assert (track.index, track.day.worth) == (D(index), D("0.25"))


@pytest.mark.parametrize("kept", [MONDAY, TUESDAY])
def test_a_price_is_carried_through_a_split_from_any_other_session(kept: date) -> None:
    track = advance_track(None, look(session=kept, prices=prices(AAPL="101")))
    splits = (action("forward_split", ratio="2"),)

    found = {each: carried_price(track, each, splits, "AAPL", {}) for each in (MONDAY, TUESDAY)}
    assert found == {each: 101 if each == kept else D("50.5") for each in (MONDAY, TUESDAY)}


@pytest.mark.parametrize(("kept", "seen"), [(MONDAY, TUESDAY), (TUESDAY, MONDAY)])
def test_shares_without_a_price_make_no_profit_by_a_split_before_another_session(
    kept: date, seen: date
) -> None:
    before, after = ledger(AAPL=("10", "1300")), ledger(AAPL=("20", "1300"))
    first = look(session=kept, ledger=before, before=before, prices={}, closes={})
    split = (action("forward_split", seen, "2"),)
    second = look(
        session=seen, ledger=after, before=before, prices=prices(AAPL="50"), actions=split
    )

    track = carried(first, second)

    assert (track.index, track.day.session) == (1, seen)
