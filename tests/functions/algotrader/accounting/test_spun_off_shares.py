"""Spun-off shares count as owed until a person adopts or releases them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.accounting.performance import Observation, advance_track
from algotrader.accounting.receivables import (
    describe_receivables,
)
from algotrader.model import (
    Adjustment,
)
from tests.support.desk_world import DESK
from tests.support.performance_looks import (
    AFTER_CLOSE,
    BELL,
    FRIDAY,
    HELD,
    MONDAY,
    ledger,
    look,
    prices,
)
from tests.support.receivables import SPUN, D, carried, ex, later, listing, made


def spun(**changes: Any) -> Observation:
    """Return Monday's observation: AAPL fell from 100 to 92, and SPUN trades at 16."""
    return ex(SPUN, **{"prices": prices(AAPL="92", SPUN="16"), "left": prices(AAPL="8"), **changes})


def given(qty: str, worth: str | None = "16", at: datetime = AFTER_CLOSE) -> Adjustment:
    return Adjustment(
        f"id-{qty}-{worth}",
        DESK,
        "SPUN",
        D(qty),
        D(12),
        at,
        "",
        None if worth is None else D(worth),
    )


def test_spun_off_shares_count_at_their_own_price() -> None:
    track = carried(look(session=FRIDAY), spun())
    assert (made(track), track.index, track.receivables[0].value) == (0, 1, 80)

    fell = later(SPUN, prices=prices(AAPL="92", SPUN="14"), closes=prices(AAPL="92", SPUN="16"))
    assert made(advance_track(track, fell)) == -10
    fell_before = replace(fell, closes=prices(AAPL="92", SPUN="15"))
    assert made(advance_track(track, fell_before)) == -5  # since the close, not the last run


def test_before_spun_off_shares_trade_they_count_with_the_fall_of_the_old_shares() -> None:
    unseen = spun(prices=prices(AAPL="92"), left={})
    fallen = replace(unseen, prices=prices(AAPL="80"), at=AFTER_CLOSE)

    first = carried(look(session=FRIDAY), unseen)
    assert (made(first), first.receivables[0].price) == (0, 16)

    second = advance_track(first, fallen)
    assert (made(second), second.receivables[0].price) == (-120, 16)  # frozen

    traded = replace(fallen, prices=prices(AAPL="80", SPUN="15"))
    assert made(advance_track(second, traded)) == -125


def test_the_close_itself_does_not_count_as_the_first_price() -> None:
    halted = spun(prices=prices(AAPL="100"), left={})
    track = carried(look(session=FRIDAY), halted)

    assert (made(track), track.receivables[0].price) == (0, None)


@pytest.mark.parametrize("worth", ["16", "20", "3"])
def test_adopted_shares_make_no_gain_at_any_worth(worth: str) -> None:
    """The ledger continues from the same value, so only a later price change counts."""
    track = carried(look(session=FRIDAY), spun())
    held = ledger(AAPL=("10", "900"), SPUN=("5", "60"))
    held = replace(held, realized={"SPUN": 5 * (D(12) - D(worth))})
    adopted = spun(ledger=held, before=HELD, adjustments=(given("5", worth),), at=AFTER_CLOSE)
    after = advance_track(track, adopted)

    assert (made(after), after.index) == (0, 1)
    assert advance_track(after, adopted) == after
    assert after.receivables[0].is_over


def test_a_fraction_that_remains_counts_as_sold() -> None:
    track = carried(look(session=FRIDAY), spun(listing=listing(SPUN, qty="11")))
    assert track.receivables[0].new_qty == D("5.5")
    held = replace(
        ledger(AAPL=("10", "900"), SPUN=("5", "60")), realized={"SPUN": 5 * (D(12) - D(16))}
    )

    after = advance_track(
        track, spun(ledger=held, before=HELD, adjustments=(given("5"),), at=AFTER_CLOSE)
    )

    (owed,) = after.receivables
    assert (owed.value, owed.is_over, after.standings["AAPL"].dividends) == (0, True, 88)
    fell = later(SPUN, ledger=held, before=held, prices=prices(AAPL="92", SPUN="16"))
    assert advance_track(after, fell).standings["AAPL"].dividends == 88


def test_less_than_one_share_counts_as_sold_once_its_cash_should_be_there() -> None:
    track = carried(spun(listing=listing(SPUN, qty="1")))

    for days, is_over in ((10, False), (11, True)):
        day = MONDAY + timedelta(days=days)
        (owed,) = advance_track(track, later(SPUN, day=day)).receivables
        assert owed.is_over is is_over
    whole = carried(spun(listing=listing(SPUN, qty="2")))
    (owed,) = advance_track(whole, later(SPUN, day=MONDAY + timedelta(days=11))).receivables
    assert (owed.new_qty, owed.is_over) == (1, False)
    gone = advance_track(track, later(SPUN, day=MONDAY + timedelta(days=11)))
    assert gone.standings["AAPL"].dividends == 8


@pytest.mark.parametrize(
    "other",
    [
        replace(given("5"), desk="abcdef"),
        replace(given("5"), symbol="IBM"),
        replace(given("5"), qty=D(-5)),
        given("5", at=BELL - timedelta(days=1)),
    ],
    ids=["another desk", "another symbol", "a release", "before the ex-date"],
)
def test_no_other_adjustment_settles_the_receivable(other: Adjustment) -> None:
    track = carried(spun(adjustments=(other,)))

    assert track.receivables[0].new_qty == 5


def test_an_adjustment_counts_once_however_often_it_is_read() -> None:
    some = spun(adjustments=(given("3"),))

    track = carried(some, some, some)

    assert (track.receivables[0].taken, track.standings["AAPL"].dividends) == (3, 80)


def test_adopting_more_shares_than_are_due_settles_only_those_due() -> None:
    track = carried(spun(adjustments=(given("3"), given("4"))))

    assert (track.receivables[0].taken, track.receivables[0].value) == (5, 0)


def test_the_email_names_the_shares_that_are_due_until_a_person_adopts_or_releases_them() -> None:
    track = carried(spun())

    (words,) = describe_receivables((), track.receivables, "desk")
    assert words == (
        "SPUN: 5 shares from the spin off of AAPL on 2024-03-04 count as 80.00 in profit and loss."
        " Once the account has them, run `algo-trader adopt SPUN 5 --stack desk` or"
        " `algo-trader release SPUN 5 --stack desk`."
    )
    unpriced = [replace(each, price=None) for each in track.receivables]
    assert "have no price yet" in describe_receivables((), unpriced, "desk")[0]
