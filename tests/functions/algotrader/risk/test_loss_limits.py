"""After too large a loss, a desk only sells until a person resumes it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.accounting.performance import advance_track
from algotrader.model import LossLimits, Side, TradingState
from algotrader.model.performance import total_profit
from algotrader.risk.loss_limits import breached_limits, rebase, state_after
from algotrader.risk.reasons import Reason
from tests.support.examples import tried
from tests.support.performance_looks import AFTER_CLOSE, look, next_day, prices
from tests.support.snapshots import Situation, lively_bells, situations

D = Decimal
LIMITS = LossLimits(daily_loss=D("0.05"), drawdown=D("0.2"))


def test_a_daily_loss_trips_the_limit_only_at_the_limit_and_with_its_numbers() -> None:
    almost = advance_track(None, look(prices=prices(AAPL="50.01")))
    at_it = advance_track(None, look(prices=prices(AAPL="50")))

    assert breached_limits(almost, LIMITS) == {}
    assert breached_limits(at_it, LIMITS) == {
        Reason.DAILY_LOSS: "5.00 % lost in session 2024-03-04, 500.00 of 10000.00, limit 5 %"
    }


def test_a_loss_is_a_fraction_of_the_capital_at_the_previous_close() -> None:
    monday = advance_track(None, look(worth=D(8000)))
    track = advance_track(monday, next_day("60", worth=D(10**9)))  # the user has made a deposit

    assert "400.00 of 8000.00" in breached_limits(track, LIMITS)[Reason.DAILY_LOSS]


def test_a_drawdown_is_reported_with_its_numbers_and_stays_on_later_days() -> None:
    track = advance_track(None, look(worth=D(1000)))
    track = advance_track(track, look(prices=prices(AAPL="79"), worth=D(1000), at=AFTER_CLOSE))
    later = advance_track(track, next_day("79", closes=prices(AAPL="79")))

    assert breached_limits(later, LIMITS) == {
        Reason.DRAWDOWN: "21.00 % below the peak, index 0.7900 of 1.0000, limit 20 %"
    }


def test_a_loss_counts_afresh_after_its_report_and_a_drawdown_does_not() -> None:
    fallen = advance_track(None, look(prices=prices(AAPL="50")))
    seen = rebase(fallen, breached_limits(fallen, LIMITS))

    assert breached_limits(advance_track(seen, look(prices=prices(AAPL="49"))), LIMITS) == {}
    again = breached_limits(advance_track(seen, look(prices=prices(AAPL="0.01"))), LIMITS)
    assert again == {}  # a further loss of 499.90 is still below the limit
    assert Reason.DAILY_LOSS in breached_limits(
        advance_track(seen, look(prices=prices(AAPL="0"))), LIMITS
    )
    deep = replace(fallen, index=D("0.5"))
    assert Reason.DRAWDOWN in breached_limits(rebase(deep, breached_limits(deep, LIMITS)), LIMITS)


def test_a_limit_of_one_is_off() -> None:
    lost = advance_track(None, look(prices=prices(AAPL="0.01"), worth=D(1000)))

    assert breached_limits(lost, LossLimits(D(1), D(1))) == {}


@pytest.mark.parametrize("state", TradingState)
def test_a_limit_never_weakens_what_was_set(state: TradingState) -> None:
    reached = {Reason.DAILY_LOSS: "a", Reason.DRAWDOWN: "b"}

    found = state_after(state, "by hand", reached)

    if state is TradingState.ACTIVE:
        assert found == (TradingState.REDUCING, "DAILY_LOSS: a; DRAWDOWN: b")
    else:
        assert found == (state, "by hand")
    assert state_after(state, "by hand", {}) == (state, "by hand")


losses = st.decimals(0, 100, places=2)
money = st.decimals(1, 10**6, places=2)


@tried(100)
@given(
    bell=situations() | lively_bells(),
    price=losses,
    index=st.decimals("0.01", 1, places=2),
    daily_loss=st.decimals("0.01", 1, places=2),
    drawdown=st.decimals("0.01", 1, places=2),
)
def test_no_entry_is_ever_approved_once_a_limit_on_losses_is_reached(
    bell: Situation, price: Decimal, index: Decimal, daily_loss: Decimal, drawdown: Decimal
) -> None:
    track = replace(advance_track(None, look(prices={"AAPL": price}, worth=D(1000))), index=index)
    limits = LossLimits(daily_loss, drawdown)
    state, reason = state_after(
        bell.snapshot.trading_state,
        bell.snapshot.trading_state_reason,
        breached_limits(track, limits),
    )

    free = bell.decide()
    decision = replace(
        bell,
        snapshot=replace(bell.snapshot, trading_state=state, trading_state_reason=reason),
    ).decide()

    lost = total_profit(track.day.standings) - track.profit
    if decision.entries:
        assert lost < daily_loss * 1000
        assert track.drawdown < drawdown
    assert [each.symbol for each in decision.exits] == [each.symbol for each in free.exits]
    if state is TradingState.REDUCING:
        assert {each.code for each in decision.denied if each.side is Side.BUY} <= {
            "TRADING_REDUCING"
        }


@given(before=money, after=money, price=losses)
def test_a_deposit_or_a_withdrawal_alone_trips_no_limit_and_hides_no_loss(
    before: Decimal, after: Decimal, price: Decimal
) -> None:
    monday = advance_track(None, look(worth=before))
    cash_moved = advance_track(monday, next_day("100", worth=after))
    assert breached_limits(cash_moved, LIMITS) == {}

    # The loss is 10 shares times the fall from 100, and a limit uses the capital at the close.
    for worth in (before, max(before, after)):
        fallen = advance_track(monday, next_day(str(price), worth=worth))
        assert (Reason.DAILY_LOSS in breached_limits(fallen, LIMITS)) == (
            price < 100 and 10 * (100 - price) >= LIMITS.daily_loss * before
        )
        # Later in the day, a deposit or withdrawal does not change which limits are breached.
        moved = advance_track(fallen, next_day(str(price), worth=after))
        assert breached_limits(moved, LIMITS) == breached_limits(fallen, LIMITS)


def test_a_loss_of_a_worthless_desk_trips_the_limit_without_an_error() -> None:
    track = advance_track(None, look(prices=prices(AAPL="50"), worth=D(0)))

    assert breached_limits(track, LIMITS)[Reason.DAILY_LOSS].startswith(
        "all lost in session 2024-03-04"
    )


def test_a_desk_without_a_loss_trips_no_limit() -> None:
    worthless = advance_track(None, look(worth=D(0)))

    assert breached_limits(worthless, LIMITS) == {}
    assert breached_limits(advance_track(None, look()), LossLimits(D(0), D(0))) == {}


def test_a_small_desk_trips_the_limit_at_the_same_fraction() -> None:
    track = advance_track(None, look(prices=prices(AAPL="99.95"), worth=D(1)))

    seen = breached_limits(track, LIMITS)
    assert seen[Reason.DAILY_LOSS].startswith("50.00 % lost")


def test_a_drawdown_of_exactly_the_limit_trips_it() -> None:
    track = replace(advance_track(None, look()), index=D("0.8"))

    assert breached_limits(track, LIMITS).keys() == {Reason.DRAWDOWN}
    assert breached_limits(replace(track, index=D("0.8001")), LIMITS) == {}
