"""A symbol that the run cannot judge stays as it is, and everything else goes on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.decision.decide import decide
from algotrader.decision.flatten import flatten
from algotrader.errors import ConfigurationError, InsufficientHistoryError
from algotrader.model import Decision, Features, Leg, Order, Side, Snapshot, TradingState, Unfit
from algotrader.strategy import Market, Portfolio, Strategy
from tests.support.desk_world import (
    RUN,
    SETTINGS,
    UNIVERSE,
    FixedWeights,
    codes,
    features,
    open_order,
    own_id,
    quantities,
    settings,
    snapshot,
)
from tests.support.examples import tried
from tests.support.snapshots import Situation, situations

D = Decimal
STALE = Unfit("BARS_STALE", "newest bar 2024-02-28, 3 sessions old")
FREE = settings(max_position_weight=D(1), no_trade_band=D("0.01"))


def unfit(*names: str, **changes: Any) -> Snapshot:
    """Return a snapshot in which these symbols are unfit and the desk holds ``held``."""
    held = changes.pop("held", None)
    return snapshot(held, changes.pop("cash", "0"), unfit=dict.fromkeys(names, STALE), **changes)


def decided(
    seen: Snapshot, weights: dict[str, Any], stops: object = None, under: Any = FREE
) -> Decision:
    known = features(*(each for each in under.symbols if each not in seen.unfit))
    return decide(RUN, under, seen, known, FixedWeights(weights, stops))


def a_stop(symbol: str, qty: str, price: str = "80") -> Order:
    return open_order(
        symbol,
        Side.SELL,
        qty,
        None,
        own_id(symbol, Leg.STOP),
        order_type="stop",
        stop_price=D(price),
        time_in_force="gtc",
    )


def test_nothing_is_bought_in_an_unfit_symbol_and_the_reason_names_its_weight() -> None:
    decision = decided(unfit("IBM", cash="100000"), {"IBM": D("0.5"), "MSFT": D("0.3")})

    assert quantities(decision.entries).keys() == {"MSFT"}
    assert codes(decision) == {"IBM": "SYMBOL_UNFIT"}
    assert decision.denied[0].detail == f"BARS_STALE: {STALE.detail}"
    assert decision.unfit == {"IBM": STALE}
    assert decision.target_weights == {"IBM": D("0.5"), "MSFT": D("0.3")}


def test_an_unfit_holding_is_not_sold_and_other_holdings_are() -> None:
    decision = decided(unfit("IBM", held={"IBM": "30", "AAPL": "50"}), {})

    assert quantities(decision.exits) == {"AAPL": D(50)}
    assert decision.denied == ()
    assert decision.why["IBM"] == f"unfit, keeps 30: BARS_STALE: {STALE.detail}"


def test_an_unfit_holding_is_neither_reduced_nor_increased() -> None:
    for weight, side in ((D("0.1"), Side.SELL), (D("0.9"), Side.BUY)):
        decision = decided(unfit("IBM", held={"IBM": "30"}, cash="7000"), {"IBM": weight})
        assert (decision.exits, decision.entries) == ((), ())
        (denied,) = decision.denied
        assert (denied.side, denied.code) == (side, "SYMBOL_UNFIT")


def test_a_weight_that_an_unfit_holding_already_has_is_ignored_and_named() -> None:
    decision = decided(unfit("IBM", held={"IBM": "30"}, cash="70000"), {"IBM": D("0.04")})
    assert decision.denied == ()
    assert "keeps 30, ignores its weight 0.04: BARS_STALE" in decision.why["IBM"]


def test_a_strategy_that_still_asks_for_a_quarter_of_each_symbol_is_not_scaled() -> None:
    held = dict.fromkeys(UNIVERSE, "25")
    decision = decided(unfit("IBM", held=held), dict.fromkeys(UNIVERSE, D("0.25")))
    assert (decision.remarks, decision.exits, decision.entries, decision.denied) == ((), (), (), ())


def test_targets_and_unfit_holdings_above_one_are_scaled_not_refused() -> None:
    seen = unfit("IBM", held={"IBM": "25", "AAPL": "75"})
    decision = decided(seen, {"AAPL": D("0.5"), "MSFT": D("0.5")})

    assert quantities(decision.exits) == {"AAPL": D(37)}  # to 37.5 % instead of 50 %
    assert quantities(decision.entries)["MSFT"] <= D(37)
    (remark,) = decision.remarks
    assert remark.startswith("unfit holdings weigh 0.2500 of capital, so the run scales the other")
    assert remark.endswith("targets from 1.0000 in all to 0.7500")


def test_unfit_holdings_above_the_capital_leave_nothing_for_other_symbols() -> None:
    seen = unfit("IBM", held={"IBM": "300"})
    decision = decided(seen, {"AAPL": D(1)}, under=replace(FREE, capital=D(10000)))
    assert decision.entries == ()
    assert "to 0.0000" in decision.remarks[0]


def test_weights_that_only_keep_the_holdings_are_not_scaled_for_an_unfit_one() -> None:
    seen = unfit("IBM", held={"IBM": "80", "AAPL": "70"})
    under = replace(FREE, capital=D(10000))
    decision = decided(seen, {"IBM": D("0.8"), "AAPL": D("0.7")}, under=under)
    assert (decision.remarks, decision.exits, decision.denied) == ((), (), ())


def test_the_stop_of_an_unfit_holding_stays_and_missing_stops_of_others_are_placed() -> None:
    seen = unfit("IBM", held={"IBM": "30", "AAPL": "50"}, own_open_orders=(a_stop("IBM", "30"),))
    weights = {"AAPL": D("0.625")}
    decision = decided(seen, weights, stops={"AAPL": D(90), "IBM": D(85)})

    assert {each.symbol for each in decision.stops} == {"AAPL"}
    assert (decision.cancels, decision.unprotected) == ((), {})
    assert decision.why["IBM"].endswith("its stop rests at 80.00")


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.HALTED])
def test_an_unfit_holding_without_a_stop_is_reported_if_the_strategy_uses_stops(
    state: TradingState,
) -> None:
    seen = unfit("IBM", held={"IBM": "30", "AAPL": "50"}, trading_state=state)
    decision = decided(seen, {"AAPL": D("0.625")}, stops={"AAPL": D(90)})
    assert decision.unprotected["IBM"] == f"unfit, BARS_STALE: {STALE.detail}"
    assert decided(seen, {"AAPL": D("0.625")}).unprotected == {}


def test_an_unfit_holding_alone_counts_as_unprotected_if_the_strategy_may_use_stops() -> None:
    seen = unfit("IBM", held={"IBM": "30"})
    assert decided(seen, {}).unprotected.keys() == {"IBM"}
    known = features("AAPL", "GOOG", "MSFT")
    assert decide(RUN, FREE, seen, known, _NeedsThree()).unprotected == {}


def test_a_stop_requested_for_an_unfit_holding_is_not_placed_and_reported_as_missing() -> None:
    decision = decided(unfit("IBM", held={"IBM": "30", "AAPL": "50"}), {}, stops={"IBM": D(85)})
    assert decision.stops == ()
    assert decision.unprotected.keys() == {"IBM"}


def test_a_stop_that_covers_more_than_an_unfit_holding_is_canceled() -> None:
    seen = unfit("IBM", held={"IBM": "30"}, own_open_orders=(a_stop("IBM", "40"),))
    assert decided(seen, {}).cancels == (own_id("IBM", Leg.STOP),)


def test_an_indicator_without_a_value_makes_only_its_symbol_unfit() -> None:
    undefined = Unfit("INDICATOR_UNDEFINED", "rsi has no value")
    known: Features = replace(features("AAPL", "GOOG", "MSFT"), unfit={"IBM": undefined})
    strategy = FixedWeights({})
    decision = decide(RUN, SETTINGS, snapshot({"IBM": "30"}), known, strategy)

    assert decision.unfit == {"IBM": undefined}
    assert decision.exits == ()
    market, portfolio = strategy.shown[0]
    assert list(market.symbols) == ["AAPL", "GOOG", "MSFT"]
    assert market.unfit == {"IBM": "INDICATOR_UNDEFINED: rsi has no value"}
    assert portfolio.weights.keys() == {"IBM"}


def test_the_template_may_fail_the_run_for_an_unfit_symbol() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"FEATURES_MISSING: symbols=IBM \("):
        decide(
            RUN,
            settings(unfit_symbols="stop"),
            snapshot(),
            features("AAPL", "GOOG", "MSFT"),
            FixedWeights({}),
        )


def test_a_run_without_any_fit_symbol_fails_with_the_first_reason() -> None:
    unknown = dict.fromkeys(UNIVERSE, Unfit("SYMBOL_UNKNOWN", "the broker does not list it"))
    with pytest.raises(ConfigurationError, match="SYMBOL_UNKNOWN"):
        decided(snapshot(unfit=unknown), {})


class _NeedsThree(Strategy):
    """Needs three symbols, and would sell everything."""

    min_fit = 3

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        del market, portfolio
        return {}


class _NeedsThreeQuarters(_NeedsThree):
    min_fit = 0.75

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        return {symbol: D(90) for symbol in market.symbols if symbol in portfolio.weights}


@pytest.mark.parametrize("strategy", [_NeedsThree(), _NeedsThreeQuarters()])
def test_with_enough_fit_symbols_the_strategy_is_called(strategy: Strategy) -> None:
    seen = unfit("IBM", held={"AAPL": "10"})
    decision = decide(RUN, FREE, seen, features("AAPL", "GOOG", "MSFT"), strategy)
    assert quantities(decision.exits) == {"AAPL": D(10)}
    assert (decision.keeps_all, decision.remarks) == (False, ())


def test_with_too_few_fit_symbols_everything_is_kept_and_stops_are_placed() -> None:
    seen = unfit("IBM", "GOOG", held={"AAPL": "10", "IBM": "5", "XOM": "7"})
    decision = decide(RUN, FREE, seen, features("AAPL", "MSFT"), _NeedsThreeQuarters())

    assert (decision.exits, decision.entries, decision.denied) == ((), (), ())
    assert decision.keeps_all
    remark = "2 of 4 symbols are fit and the strategy needs 3, so the run keeps everything"
    assert decision.remarks == (remark,)
    assert decision.why["AAPL"].startswith(f"keeps 10: {remark}")
    assert decision.why["XOM"] == f"keeps 7: {remark}"
    assert [(each.symbol, each.stop_price) for each in decision.stops] == [("AAPL", D(90))]


def test_a_flatten_ignores_fitness() -> None:
    seen = unfit("IBM", held={"IBM": "30"})
    assert quantities(flatten(RUN, SETTINGS, seen).exits) == {"IBM": D(30)}


@tried(20)
@given(bell=situations(), names=st.sets(st.sampled_from(UNIVERSE), min_size=1, max_size=3))
def test_no_order_and_no_cancel_touches_an_unfit_symbol(bell: Situation, names: set[str]) -> None:
    seen = replace(bell.snapshot, unfit=dict.fromkeys(sorted(names), STALE))
    decision = decide(bell.run, bell.settings, seen, features(), FixedWeights(bell.weights))
    orders = (*decision.exits, *decision.entries)
    assert names.isdisjoint(each.symbol for each in orders)
    assert names.isdisjoint(each.symbol for each in decision.stops)
    assert decision.unfit.keys() == names
