"""The desk shows a strategy its references, and never trades them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.errors import InsufficientHistoryError, StaleBarsError, StrategyError
from algotrader.model import Bar, Decision, Snapshot, Unfit
from algotrader.strategy import Market, Portfolio
from tests.support.desk_world import (
    RUN,
    UNIVERSE,
    FixedWeights,
    features,
    prices,
    quantities,
    settings,
    snapshot,
)

D = Decimal
STALE = Unfit("BARS_STALE", "newest bar 2024-02-28, 3 sessions old")
FREE = settings(max_position_weight=D(1), no_trade_band=D("0.01"))
BAR = Bar(500.0, 505.0, 495.0, 501.0, 1e6)


class Follower(FixedWeights):
    """A strategy that also looks at SPY and at IBM."""

    reference = ("SPY", "IBM")


def decided(seen: Snapshot, strategy: FixedWeights, under: Any = FREE) -> Decision:
    names = {*under.symbols, *strategy.reference} - seen.unfit.keys()
    known = replace(features(*sorted(names)), bars=dict.fromkeys(names, BAR))
    return decide(RUN, under, seen, known, strategy)


def market_of(strategy: FixedWeights) -> Market:
    return strategy.shown[0][0]


def with_spy(held: dict[str, str] | None = None, **changes: Any) -> Snapshot:
    plain = snapshot(held, **changes)
    return replace(plain, prices=plain.prices | prices(SPY="502.5"))


def test_a_strategy_sees_bar_and_price_of_a_reference_next_to_its_symbols() -> None:
    strategy = Follower({})
    decided(with_spy(), strategy)

    market = market_of(strategy)
    assert (market["SPY"].close, market["SPY"].price) == (501.0, D("502.5"))
    assert list(market) == list(UNIVERSE)
    assert market.universe == UNIVERSE
    assert market.reference.keys() == {"SPY"}


def test_a_symbol_that_is_also_a_reference_is_traded() -> None:
    decision = decided(with_spy(cash="100000"), Follower({"IBM": 0.5}))
    assert quantities(decision.entries).keys() == {"IBM"}


def test_a_reference_gets_no_order_and_no_reason() -> None:
    decision = decided(with_spy(cash="100000"), Follower({"AAPL": 0.5}))
    assert quantities(decision.entries).keys() == {"AAPL"}
    assert decision.why.keys() == {*UNIVERSE}


@pytest.mark.parametrize(
    ("strategy", "code"),
    [
        (Follower({"SPY": 0.5}), "WEIGHT_INVALID"),
        (Follower({}, stops={"SPY": 480}), "STOPS_INVALID"),
    ],
)
def test_a_weight_or_stop_for_a_reference_is_refused_in_words(
    strategy: Follower, code: str
) -> None:
    with pytest.raises(StrategyError, match=f"{code}.*SPY.*a reference, which the desk never"):
        decided(with_spy(), strategy)


def test_an_unfit_reference_is_shown_and_reported_and_stops_nothing() -> None:
    strategy = Follower({"AAPL": 0.5})
    decision = decided(with_spy(cash="100000", unfit={"SPY": STALE}), strategy)

    assert market_of(strategy).unfit == {"SPY": f"BARS_STALE: {STALE.detail}"}
    assert market_of(strategy).universe == UNIVERSE
    assert decision.unfit == {"SPY": STALE}
    assert quantities(decision.entries).keys() == {"AAPL"}
    assert decision.remarks == ()


def test_a_reference_without_features_is_unfit() -> None:
    strategy = Follower({})
    decision = decide(RUN, FREE, with_spy(), features(*UNIVERSE), strategy)
    assert decision.unfit["SPY"].code == "FEATURES_MISSING"


def test_a_template_that_says_stop_stops_for_an_unfit_reference_too() -> None:
    with pytest.raises(StaleBarsError, match="SPY"):
        decided(with_spy(unfit={"SPY": STALE}), Follower({}), settings(unfit_symbols="stop"))


def test_a_fit_reference_does_not_save_a_run_without_a_fit_symbol() -> None:
    with pytest.raises(StaleBarsError, match="BARS_STALE"):
        decided(with_spy(unfit=dict.fromkeys(UNIVERSE, STALE)), Follower({}))


def test_references_do_not_count_towards_the_fewest_fit_symbols() -> None:
    class Picky(Follower):
        min_fit = 4

    kept = decided(with_spy({"AAPL": "10"}, unfit={"IBM": STALE}), Picky({}))
    assert kept.keeps_all
    assert not decided(with_spy({"AAPL": "10"}, unfit={"SPY": STALE}), Picky({})).keeps_all


def test_a_holding_that_is_only_a_reference_is_sold_like_any_other_outside_the_symbols() -> None:
    decision = decided(with_spy({"SPY": "10"}, unfit={"SPY": STALE}), Follower({}))
    assert quantities(decision.exits) == {"SPY": D(10)}


class AtMonthEnd(FixedWeights):
    """A strategy that uses the calendar."""

    def target_weights(self, market: Market, portfolio: Portfolio) -> Any:
        del portfolio
        return {"AAPL": 0.5} if market.is_last_session_of("month") else {}


def test_a_strategy_reads_the_edge_of_a_month_from_the_brokers_calendar() -> None:
    seen = with_spy(cash="100000")
    april = replace(seen, next_session=seen.session.date.replace(month=4, day=1))
    same = replace(seen, next_session=seen.session.date.replace(day=5))

    assert decided(april, AtMonthEnd({})).entries
    assert not decided(same, AtMonthEnd({})).entries


def test_a_calendar_that_does_not_reach_ends_the_run_by_its_own_code() -> None:
    with pytest.raises(InsufficientHistoryError, match="CALENDAR_TOO_SHORT: session=2024-03-04"):
        decided(with_spy(), AtMonthEnd({}))
