"""One wrong price must not make or lose a fortune in the desk's profit and loss."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.accounting.performance import advance_track
from algotrader.accounting.valuation import Prices, Valuation, convert_prices, value_shares
from algotrader.model import (
    Conversion,
    CorporateAction,
    LatestPrice,
    Ledger,
    LossLimits,
    NewShares,
    Receivable,
    Track,
)
from algotrader.risk.loss_limits import breached_limits
from algotrader.risk.reasons import Reason
from tests.support.performance_looks import (
    BELL,
    HELD,
    MONDAY,
    TUESDAY,
    action,
    ledger,
    look,
    next_day,
    prices,
)

D = Decimal
FRIDAYS_CLOSE = datetime.fromisoformat("2024-03-01T21:00:00+00:00")
LIMITS = LossLimits(daily_loss=D("0.05"), drawdown=D("0.2"))
LATER = BELL + timedelta(minutes=30)


def at_bell(price: str | None, age: int = 5, **changes: Any) -> Prices:
    """Return Monday's prices: Friday's close at 100 and a latest price of the given age."""
    now = changes.get("now", BELL)
    latest = {} if price is None else {"AAPL": LatestPrice(D(price), now - timedelta(seconds=age))}
    plain: dict[str, Any] = {
        "latest": latest,
        "closes": prices(AAPL="100"),
        "actions": (),
        "session": MONDAY,
        "previous_close": FRIDAYS_CLOSE,
        "now": BELL,
        "is_open": True,
        "max_deviation": D("0.2"),
        "max_age_seconds": 900,
    }
    return Prices(**{**plain, **changes})


def aapl(reported: Prices, track: Track | None = None, held: Ledger = HELD) -> tuple[Any, Any, str]:
    found = value_shares(reported, track, held)
    return found.book_prices.get("AAPL"), found.risk_prices.get("AAPL"), " ".join(found.doubts)


@pytest.mark.parametrize("price", ["80", "100", "120"])
def test_a_fresh_price_near_the_close_is_accepted(price: str) -> None:
    assert aapl(at_bell(price)) == (D(price), D(price), "")


def test_the_close_replaces_a_price_far_above_it() -> None:
    kept, braking, doubt = aapl(at_bell("1000"))

    assert (kept, braking) == (100, 100)
    assert doubt.startswith("AAPL: PRICE_DEVIATION: price 1000.00 is +900.00 % off the last close")
    assert doubt.endswith("Profit and loss count it at 100.00.")


def test_a_fresh_price_far_below_the_close_counts_for_the_limits_but_not_in_the_books() -> None:
    kept, braking, doubt = aapl(at_bell("70"))

    assert (kept, braking) == (100, 70)
    assert "the loss limits and this message use the lower price" in doubt


@pytest.mark.parametrize("price", ["70", "99", "1000"])
def test_an_old_price_is_not_accepted_while_the_session_is_open(price: str) -> None:
    kept, braking, doubt = aapl(at_bell(price, age=901))

    assert (kept, braking) == (100, 100)
    assert "PRICE_STALE" in doubt


def test_after_the_close_a_price_of_the_session_is_old_enough() -> None:
    assert aapl(at_bell("99", age=5000, is_open=False)) == (99, 99, "")


def test_an_earlier_price_of_the_session_replaces_a_doubtful_one_before_the_close_does() -> None:
    track = advance_track(None, look(prices=prices(AAPL="115")))

    assert aapl(at_bell("118", age=901, now=LATER), track)[:2] == (115, 115)
    assert aapl(at_bell("130", now=LATER), track)[:2] == (115, 115)
    assert aapl(at_bell("70", now=LATER), track)[:2] == (115, 70)
    tuesday = at_bell("70", age=901, session=TUESDAY)
    assert aapl(tuesday, track)[:2] == (100, 100)


def test_a_close_before_a_split_is_compared_with_a_price_after_it() -> None:
    split = (action("forward_split", ratio="2"),)

    assert aapl(at_bell("50", actions=split)) == (50, 50, "")
    assert aapl(at_bell("100", actions=split))[:2] == (50, 50)


def test_the_close_replaces_an_older_price() -> None:
    assert aapl(at_bell("99", age=4 * 86400)) == (100, 100, "")
    assert aapl(at_bell(None)) == (100, 100, "")
    assert aapl(at_bell("NaN")) == (100, 100, "")


def test_without_a_close_a_price_is_compared_with_the_last_one_or_a_new_cost() -> None:
    friday = advance_track(None, look())
    bought = advance_track(None, look(ledger=ledger(), before=ledger(), prices={}))

    for track, stands in ((friday, 100), (bought, 90)):
        near = aapl(at_bell("95", closes={}, session=TUESDAY), track)
        far = aapl(at_bell("950", closes={}, session=TUESDAY), track)
        assert near == (95, 95, "")
        assert far[:2] == (stands, stands)
    assert aapl(at_bell("7", closes={})) == (7, 7, "")  # no close contradicts it
    assert aapl(at_bell(None, closes={})) == (None, None, "")


def test_one_wrong_print_raises_no_peak() -> None:
    track = advance_track(None, look())
    wrong = value_shares(at_bell("1000", now=LATER), track, HELD)
    track = advance_track(track, look(prices=wrong.book_prices, at=LATER))
    track = advance_track(track, look(at=LATER + timedelta(minutes=30)))

    assert (track.peak, track.index, breached_limits(track, LIMITS)) == (1, 1, {})


def test_a_crash_trips_the_limits_at_once_and_enters_the_books_once_a_close_confirms_it() -> None:
    held = {"ledger": ledger(AAPL=("90", "9000")), "before": ledger(AAPL=("90", "9000"))}
    track = advance_track(None, look(**held))
    crash = value_shares(at_bell("70", now=LATER), track, held["ledger"])

    feared = advance_track(track, look(**held, prices=crash.risk_prices, at=LATER))
    assert breached_limits(feared, LIMITS).keys() == {Reason.DAILY_LOSS, Reason.DRAWDOWN}
    track = advance_track(track, look(**held, prices=crash.book_prices, at=LATER))
    assert track.index == 1  # a wrong price leaves no drawdown behind

    tuesday = at_bell("70", session=TUESDAY, closes=prices(AAPL="70"))
    believed = value_shares(tuesday, track, held["ledger"])
    assert believed == Valuation({"AAPL": D(70)}, {"AAPL": D(70)}, ())
    track = advance_track(track, next_day("70", **held, closes=prices(AAPL="70")))
    assert breached_limits(track, LIMITS).keys() == {Reason.DRAWDOWN}


@given(
    price=st.decimals("0.0001", 10**6, places=4),
    age=st.integers(-3600, 10**6),
    is_open=st.booleans(),
    earlier=st.none() | st.integers(80, 120),
)
def test_the_books_accept_no_price_beyond_the_deviation_and_the_limits_use_only_lower_ones(
    price: Decimal, age: int, earlier: int | None, *, is_open: bool
) -> None:
    track = None if earlier is None else advance_track(None, look(prices={"AAPL": D(earlier)}))

    kept, braking, doubt = aapl(at_bell(str(price), age, is_open=is_open), track)

    assert 80 <= kept <= 120
    assert braking <= kept
    assert doubt or kept in {price, 100, earlier}


def test_a_holding_that_was_sold_and_bought_again_is_compared_with_its_cost() -> None:
    sold = advance_track(
        None, look(ledger=ledger("100"), prices={})
    )  # no longer held AAPL at the last observation

    near = aapl(at_bell("95", closes={}, session=TUESDAY), sold)
    far = aapl(at_bell("950", closes={}, session=TUESDAY), sold)

    assert (near, far[:2]) == ((95, 95, ""), (90, 90))


def test_only_a_price_observed_in_the_same_session_replaces_a_doubtful_one() -> None:
    tuesday = advance_track(None, next_day("115"))

    assert aapl(at_bell("118", age=901), tuesday)[:2] == (100, 100)


def test_a_price_at_the_very_instant_of_the_close_counts_as_newer() -> None:
    age = int((BELL - FRIDAYS_CLOSE).total_seconds())

    assert aapl(at_bell("99", age=age, is_open=False)) == (99, 99, "")
    assert aapl(at_bell("99", age=age + 1, is_open=False)) == (100, 100, "")


def test_an_old_price_that_equals_the_close_raises_no_doubt() -> None:
    assert aapl(at_bell("100", age=901)) == (100, 100, "")


def test_the_cost_of_one_share_or_less_is_compared_with_its_price() -> None:
    none = advance_track(None, look(ledger=ledger(), before=ledger(), prices={}))

    for qty, cost, stands in (("1", "90", 90), ("0.5", "45", 90), ("1", "0.9", D("0.9"))):
        held = ledger(AAPL=(qty, cost))
        far = aapl(at_bell("950", closes={}, session=TUESDAY), none, held)
        assert far[:2] == (stands, stands)


def test_the_cost_of_a_share_held_without_a_price_says_nothing_about_its_price() -> None:
    one = ledger(AAPL=("1", "90"))
    unpriced = advance_track(None, look(ledger=one, before=one, prices={}, closes={}))

    assert aapl(at_bell("950", closes={}, session=TUESDAY), unpriced, one) == (950, 950, "")


def test_the_price_for_a_comparison_is_not_rounded() -> None:
    split = (action("forward_split", ratio="2"),)
    none = advance_track(None, look(ledger=ledger(), before=ledger(), prices={}))

    halved = at_bell("50", age=901, closes=prices(AAPL="101"), actions=split)
    assert aapl(halved)[:2] == (D("50.5"), D("50.5"))
    bought = ledger(AAPL=("10", "905"))
    far = aapl(at_bell("950", closes={}, session=TUESDAY), none, bought)
    assert far[:2] == (D("90.5"), D("90.5"))


@pytest.mark.parametrize(("qty", "cost"), [("10", "0"), ("0", "90"), ("-5", "90")])
def test_a_cost_of_zero_says_nothing_about_a_price(qty: str, cost: str) -> None:
    none = advance_track(None, look(ledger=ledger(), before=ledger(), prices={}))

    held = ledger(AAPL=(qty, cost))
    assert aapl(at_bell("95", closes={}, session=TUESDAY), none, held) == (95, 95, "")


PAID = CorporateAction("AAPL", "cash_dividend", MONDAY, None, cash=D(15))
SPIN_OFF = CorporateAction(
    "AAPL", "spin_off", MONDAY, None, ("SPUN",), shares=(NewShares("SPUN", D(1)),)
)
OWED = Receivable("AAPL", "spin_off", MONDAY, D(10), D(0), "SPUN", D(1), None, before=D(100))


def latest(age: int = 5, **by_symbol: str) -> dict[str, LatestPrice]:
    at = BELL - timedelta(seconds=age)
    return {symbol: LatestPrice(D(price), at) for symbol, price in by_symbol.items()}


def spun(reported: Prices, owed: Receivable = OWED) -> tuple[Any, Any, Any]:
    """Return the prices of AAPL and SPUN in the books, and of AAPL for the limits."""
    found = value_shares(reported, None, HELD, (owed,))
    return (
        found.book_prices.get("AAPL"),
        found.book_prices.get("SPUN"),
        found.risk_prices.get("AAPL"),
    )


@pytest.mark.parametrize(("price", "kept"), [("85", 85), ("101", 101), ("110", 85), ("60", 85)])
def test_on_an_ex_date_the_close_counts_less_the_dividend(price: str, kept: int) -> None:
    """A price is compared with 85: 101 is 19 % above it, and 110 and 60 are too far from it."""
    assert aapl(at_bell(price, actions=(PAID,)))[0] == kept
    assert aapl(at_bell(None, actions=(PAID,)))[:2] == (85, 85)


def test_a_price_carried_over_an_ex_date_loses_the_dividend_too() -> None:
    friday = advance_track(None, look(session=MONDAY - timedelta(days=3)))

    assert aapl(at_bell(None, closes={}, actions=(PAID,)), friday)[0] == 85
    absurd = replace(PAID, cash=D(100))
    assert aapl(at_bell("85", closes={}, actions=(absurd,)), friday)[0] == 85
    assert aapl(at_bell("85", actions=(absurd,)))[0] == 85


@pytest.mark.parametrize(
    ("old", "new", "books", "worth", "limits"),
    [
        ("84", "16", 84, 16, 84),
        ("40", "60", 40, 60, 40),  # far below the close, and right
        ("60", "16", 84, 16, 60),  # a crash of the old shares
        ("84", "40", 60, 40, 60),  # a wrong price of the new ones makes no gain
        ("84", "150", 84, None, 84),  # they cannot be worth more than the whole
    ],
)
def test_a_spin_off_is_checked_by_the_value_of_both_shares(
    old: str, new: str, books: int, worth: int | None, limits: int
) -> None:
    reported = at_bell(None, actions=(SPIN_OFF,), latest=latest(AAPL=old, SPUN=new))

    assert spun(reported) == (books, worth, limits)


def test_shares_bought_on_the_ex_date_of_a_spin_off_count_at_their_price_not_at_the_close() -> None:
    """The desk is owed nothing, so no run reads the price of the new shares."""
    bought = ledger(AAPL=("10", "600"))
    reported = at_bell("61", actions=(SPIN_OFF,))

    assert aapl(reported, advance_track(None, look(ledger=ledger(), before=None)), bought) == (
        61,
        61,
        "",
    )


def test_new_shares_that_the_desk_also_holds_have_the_price_of_its_own() -> None:
    both = ledger(AAPL=("10", "900"), SPUN=("5", "80"))
    reported = at_bell(
        None,
        actions=(SPIN_OFF,),
        latest=latest(AAPL="40", SPUN="60"),
        closes=prices(AAPL="100", SPUN="58"),
    )

    found = value_shares(reported, None, both, (OWED,))

    assert (found.book_prices, found.left) == (prices(AAPL="40", SPUN="60"), {"AAPL": 60})


@pytest.mark.parametrize("age", [901, 4 * 86400])
def test_an_old_price_of_new_shares_does_not_count(age: int) -> None:
    quotes = latest(AAPL="84") | latest(age, SPUN="16")

    assert spun(at_bell(None, actions=(SPIN_OFF,), latest=quotes)) == (84, None, 84)


@pytest.mark.parametrize(("price", "kept"), [("15", 15), ("60", 16), ("2", 16)])
def test_new_shares_are_checked_like_others_once_they_have_a_close(price: str, kept: int) -> None:
    closes = prices(AAPL="84", SPUN="16")
    reported = at_bell(None, closes=closes, latest=latest(AAPL="84", SPUN=price))

    assert spun(reported)[1] == kept
    last = replace(OWED, price=D(16))
    assert spun(replace(reported, closes=prices(AAPL="84")), last)[1] == kept
    assert spun(replace(reported, latest={}), last)[1] == 16


RENAMED = {"AAPL": Conversion(MONDAY, D(20), {"NEW": D("0.5"), "WRNT": D(2)})}


@pytest.mark.parametrize(
    ("quotes", "price"),
    [
        ({"NEW": "100", "WRNT": "10"}, 90),  # 20 + 50 + 20
        ({"NEW": "100", "WRNT": "10", "AAPL": "7"}, 90),  # another company's by now
        ({"NEW": "100"}, None),
        ({"NEW": "100", "WRNT": "NaN"}, None),
        ({"AAPL": "7"}, None),
    ],
)
def test_replaced_shares_are_worth_what_they_became(
    quotes: dict[str, str], price: int | None
) -> None:
    found = convert_prices(at_bell(None, latest=latest(**quotes)), RENAMED).latest.get("AAPL")

    assert (found and found.price) == price


def test_only_a_close_since_the_change_is_converted() -> None:
    closes = prices(AAPL="100", NEW="90", WRNT="10")
    monday = at_bell(None, closes=closes)
    tuesday = replace(monday, previous_close=FRIDAYS_CLOSE + timedelta(days=3))

    assert convert_prices(monday, RENAMED).closes["AAPL"] == 100
    assert convert_prices(tuesday, RENAMED).closes["AAPL"] == 85
    without = replace(tuesday, closes=prices(AAPL="100", NEW="90"))
    assert "AAPL" not in convert_prices(without, RENAMED).closes


def test_shares_that_became_cash_are_worth_that_cash_at_any_time() -> None:
    sold = {"AAPL": Conversion(MONDAY, D(54), {})}

    found = convert_prices(at_bell(None), sold).latest["AAPL"]

    assert (found.price, found.at) == (54, BELL)
