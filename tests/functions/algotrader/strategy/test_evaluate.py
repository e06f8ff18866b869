"""A strategy returns a set of target weights; otherwise the run ends and reports what is wrong."""

from __future__ import annotations

import decimal
import math
import random
import re
import time
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.errors import StrategyError
from algotrader.strategy import Market, Portfolio, Strategy, SymbolFeatures
from algotrader.strategy.evaluate import evaluate_stops, evaluate_weights
from tests.support.desk_world import UNIVERSE, FixedWeights

MARKET = Market(session=date(2024, 3, 4), as_of=date(2024, 3, 1), symbols={})
PORTFOLIO = Portfolio(capital=Decimal(1000), quantities={}, weights={})


def answer_of(strategy: Strategy) -> dict[str, Decimal]:
    return evaluate_weights(strategy, "mine", UNIVERSE, MARKET, PORTFOLIO).values


def stops_of(strategy: Strategy) -> dict[str, Decimal]:
    return evaluate_stops(strategy, "mine", UNIVERSE, MARKET, PORTFOLIO).values


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (Decimal("0.25"), "0.25"),
        (0.1, "0.1"),
        (1, "1"),
        (0, "0"),
        (-0.0, "0"),
        (Decimal("-0"), "0"),
        (5e-324, "5E-324"),
    ],
)
def test_decimals_integers_and_floats_are_weights(weight: object, expected: str) -> None:
    assert {key: str(value) for key, value in answer_of(FixedWeights({"IBM": weight})).items()} == {
        "IBM": expected
    }


def test_weights_come_in_alphabetical_order() -> None:
    answer = {"MSFT": 0.1, "AAPL": 0.2, "IBM": 0.3}
    assert list(answer_of(FixedWeights(answer))) == ["AAPL", "IBM", "MSFT"]


@pytest.mark.parametrize(
    "weight",
    [
        None,
        True,
        "0.5",
        -0.01,
        Decimal(-1),
        math.nan,
        math.inf,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        [0.5],
        0.5 + 0j,
    ],
)
def test_any_other_weight_is_refused_with_strategy_symbol_and_value(weight: object) -> None:
    with pytest.raises(StrategyError) as caught:
        answer_of(FixedWeights({"IBM": weight}))
    reported = str(caught.value)
    assert reported.startswith("WEIGHT_INVALID: symbol=IBM weight=")
    assert "functions/strategies/mine.py" in reported
    assert repr(weight).strip("'") in reported


@pytest.mark.parametrize("symbol", ["TSLA", "ibm", "", 7, None])
def test_a_symbol_outside_the_universe_is_refused_by_name(symbol: object) -> None:
    with pytest.raises(StrategyError) as caught:
        answer_of(FixedWeights({symbol: Decimal("0.1")}))
    assert str(caught.value) == (
        f'WEIGHT_INVALID: symbol="{symbol}" strategy=mine. Add it to the template\'s Symbols, or '
        "leave it out of target_weights in functions/strategies/mine.py."
    )


@pytest.mark.parametrize("price", [None, "9", -1, 0, math.nan])
def test_a_stop_that_is_not_a_price_is_refused(price: object) -> None:
    with pytest.raises(StrategyError, match=r"STOPS_INVALID: symbol=IBM price=.*above 0\."):
        stops_of(FixedWeights({}, {"IBM": price}))


def test_a_stop_for_a_symbol_outside_the_universe_is_refused_by_name() -> None:
    with pytest.raises(StrategyError, match=r'STOPS_INVALID: symbol="TSLA".*Add it to the templ'):
        stops_of(FixedWeights({}, {"TSLA": 9}))


@pytest.mark.parametrize("answer", [None, [("IBM", 0.5)], {"IBM"}, 0.5, "IBM"])
def test_a_result_that_is_not_a_dict_is_refused(answer: object) -> None:
    with pytest.raises(StrategyError, match=r"WEIGHTS_INVALID: answer=.* strategy=mine"):
        answer_of(FixedWeights(answer))


def test_weights_above_one_in_all_are_refused_with_their_sum() -> None:
    with pytest.raises(StrategyError, match=r"WEIGHTS_ABOVE_ONE: total=1\.01 strategy=mine\."):
        answer_of(FixedWeights({"IBM": Decimal("0.5"), "MSFT": Decimal("0.51")}))


def test_float_noise_above_one_counts_as_one() -> None:
    noisy = {"AAPL": 0.1 + 0.2, "IBM": 0.7}
    assert sum(answer_of(FixedWeights(noisy)).values()) > 1


OUTGROWN = replace(PORTFOLIO, weights={"IBM": Decimal("0.8"), "MSFT": Decimal("0.7")})


def test_weights_above_one_are_accepted_if_none_exceeds_its_holding() -> None:
    kept = {"IBM": Decimal("0.8"), "MSFT": 0.7}
    assert evaluate_weights(FixedWeights(kept), "mine", UNIVERSE, MARKET, OUTGROWN).values == {
        "IBM": Decimal("0.8"),
        "MSFT": Decimal("0.7"),
    }


@pytest.mark.parametrize("more", [{"IBM": 0.81}, {"GOOG": 0.01}])
def test_weights_above_one_of_which_one_exceeds_its_holding_are_refused(
    more: dict[str, float],
) -> None:
    asked = FixedWeights({**OUTGROWN.weights, **more})
    with pytest.raises(StrategyError, match="WEIGHTS_ABOVE_ONE"):
        evaluate_weights(asked, "mine", UNIVERSE, MARKET, OUTGROWN)


held = st.dictionaries(st.sampled_from(UNIVERSE), st.decimals(0, 2, places=4))


@given(weights=held, holdings=held)
def test_weights_are_accepted_if_they_add_up_to_one_or_if_none_exceeds_its_holding(
    weights: dict[str, Decimal], holdings: dict[str, Decimal]
) -> None:
    seen = replace(PORTFOLIO, weights=holdings)
    is_sound = sum(weights.values()) <= 1 or all(
        weight <= holdings.get(symbol, 0) for symbol, weight in weights.items()
    )
    refused = nullcontext() if is_sound else pytest.raises(StrategyError, match="ABOVE_ONE")
    with refused:
        evaluate_weights(FixedWeights(weights), "mine", UNIVERSE, MARKET, seen)


class _Raises(Strategy):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        del market, portfolio
        raise self.error


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("by zero"), KeyError("slow"), SystemExit("by zero"), StrategyError("X", "")],
)
def test_any_error_of_a_strategy_is_reported_with_type_message_and_line(
    error: BaseException,
) -> None:
    with pytest.raises(StrategyError, match="STRATEGY_FAILED") as caught:
        answer_of(_Raises(error))
    reported = str(caught.value)
    words = re.escape(str(error.args[0] if isinstance(error, KeyError) else error).strip())
    assert re.search(
        rf'error="test_evaluate\.py:\d+ {type(error).__name__}: {words}" '
        r"strategy=mine\. Fix functions/strategies/mine\.py\.$",
        reported,
    )
    assert caught.value.__cause__ is error


def test_a_strategy_without_target_weights_is_refused() -> None:
    with pytest.raises(StrategyError, match=r'error="base\.py:[0-9]+ NotImplementedError"'):
        answer_of(Strategy())


def test_an_error_message_of_a_strategy_is_reported_on_one_line_of_limited_length() -> None:
    with pytest.raises(StrategyError) as caught:
        answer_of(_Raises(ValueError("first\nsecond" + "x" * 5000)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


class _Subtracts(Strategy):
    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        del market
        return {"IBM": portfolio.capital - 0.5}  # type: ignore[operator]  # the mistake


class _TakesNoPortfolio(Strategy):
    def target_weights(self, market: Market) -> dict[str, Any]:  # type: ignore[override]  # the mistake
        del market
        return {}


class _Quotes(Strategy):
    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        del market, portfolio
        return {"IBM": "a" + 1}  # type: ignore[operator]  # the mistake


@pytest.mark.parametrize(
    ("strategy", "error"),
    [
        (_Subtracts(), r"test_evaluate\.py:\d+ TypeError: Decimal - float"),
        (_TakesNoPortfolio(), r"TypeError: .*takes 2 positional arguments but 3 were given"),
        (
            _Quotes(),
            r"test_evaluate\.py:\d+ TypeError: can only concatenate str \(not 'int'\) to str",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_place_in_few_words(strategy: Strategy, error: str) -> None:
    with pytest.raises(StrategyError, match=f'STRATEGY_FAILED: error="{error}" strategy=mine'):
        answer_of(strategy)


class _Counts(Strategy):
    """Returns something different at each call, like a strategy that keeps data on self."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__()
        self.answers = list(answers)

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        del market, portfolio
        return self.answers.pop(0)

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        return self.target_weights(market, portfolio)


@pytest.mark.parametrize(
    ("answers", "facts"),
    [
        ([{"IBM": 0.1}, {"IBM": 0.2}], "symbol=IBM first=0.1 second=0.2"),
        ([{"AAPL": 0.1, "IBM": 0.1}, {"AAPL": 0.1}], "symbol=IBM first=0.1 second=none"),
        ([{}, {"IBM": 0.1}], "symbol=IBM first=none second=0.1"),
        (
            [{"IBM": 0.1}],
            'second="STRATEGY_FAILED test_evaluate.py:LINE IndexError: pop from empty list"',
        ),
    ],
)
@pytest.mark.parametrize("method", ["target_weights", "stop_prices"])
def test_two_different_results_for_the_same_inputs_are_refused_and_the_difference_is_named(
    method: str, answers: list[dict[str, Any]], facts: str
) -> None:
    ask = answer_of if method == "target_weights" else stops_of
    with pytest.raises(StrategyError) as caught:
        ask(_Counts(*answers))
    assert re.sub(r"py:\d+", "py:LINE", str(caught.value)) == (
        f"STRATEGY_NOT_REPEATABLE: method={method} {facts} strategy=mine. {method} returned "
        "two different results for the same inputs. In functions/strategies/mine.py, use no random "
        "numbers and no clock, and keep no data on self, on the class or in a module."
    )


def test_equal_results_of_different_types_are_the_same() -> None:
    answers = [{"IBM": 0.1, "AAPL": 0}, {"AAPL": Decimal("0.0"), "IBM": Decimal("0.10")}]
    assert answer_of(_Counts(*answers)) == {"AAPL": 0, "IBM": Decimal("0.1")}


class _Draws(Strategy):
    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        del market, portfolio
        return {"IBM": random.random()}  # noqa: S311 - the mistake


class _ReadsTheClock(Strategy):
    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        del market, portfolio
        return {"IBM": time.perf_counter_ns() % 1_000_000_000 / 1e9}


@pytest.mark.parametrize("strategy", [_Draws(), _ReadsTheClock()])
def test_random_numbers_and_the_clock_are_refused(strategy: Strategy) -> None:
    with pytest.raises(
        StrategyError, match="STRATEGY_NOT_REPEATABLE: method=target_weights symbol"
    ):
        answer_of(strategy)


class _ChangesItsInputs(Strategy):
    """Grants itself holdings, which would allow weights that total more than 1."""

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        market.symbols.clear()
        portfolio.weights.update(dict.fromkeys(UNIVERSE, Decimal(1)))
        return dict(portfolio.weights)

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        stops = {each: Decimal(9) for each in market.symbols if not portfolio.weights}
        portfolio.weights["IBM"] = Decimal(1)
        return stops


def test_a_strategy_changes_only_its_own_copy_of_the_inputs() -> None:
    market = replace(MARKET, symbols={"IBM": SymbolFeatures({}, Decimal(10))})
    asked = (_ChangesItsInputs(), "mine", UNIVERSE, market, PORTFOLIO)
    with pytest.raises(StrategyError, match="WEIGHTS_ABOVE_ONE: total=4"):
        evaluate_weights(*asked)
    assert evaluate_stops(*asked).values == {"IBM": Decimal(9)}
    assert (list(market.symbols), PORTFOLIO.weights) == (["IBM"], {})


class _ChangesPrecision(Strategy):
    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Any]:
        del market, portfolio
        decimal.getcontext().prec = 2
        return {"IBM": Decimal(1) / 3}


def test_a_strategy_that_changes_the_decimal_context_changes_only_its_own_context() -> None:
    before = decimal.getcontext().prec
    assert answer_of(_ChangesPrecision()) == {"IBM": Decimal("0.33")}
    assert decimal.getcontext().prec == before


def test_a_weight_of_an_unfit_symbol_does_not_count_towards_the_sum() -> None:
    seen = replace(MARKET, unfit={"IBM": "BARS_STALE"})
    asked = FixedWeights({"IBM": 0.6, "MSFT": 0.6})
    weights = evaluate_weights(asked, "mine", UNIVERSE, seen, PORTFOLIO).values
    assert weights == {"IBM": Decimal("0.6"), "MSFT": Decimal("0.6")}


def test_a_strategy_that_reads_an_unfit_symbol_learns_why_and_what_to_do() -> None:
    seen = replace(MARKET, unfit={"IBM": "BARS_STALE: newest bar 2024-02-28, 3 sessions old"})
    with pytest.raises(KeyError, match=r"IBM is unfit \(BARS_STALE: .*market\.items\(\)"):
        seen["IBM"]
