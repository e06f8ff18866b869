"""Exactly what a formula leaves undefined is undefined, whatever rounding makes of it.

The tests try every output in the catalog on prices that never moved, stopped moving or moved once.
They also try no volume, a missing session, and the shortest history.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algotrader.adapters.indicators import IndicatorSeries, compute
from algotrader.errors import InsufficientHistoryError
from algotrader.model import FeatureValue
from algotrader.strategy import Indicator, Strategy
from algotrader.strategy.indicators import OUTPUTS, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX
from tests.functions.algotrader.indicators.real_bars import real_bars
from tests.functions.algotrader.strategy.indicators.indicator_bars import (
    arrays,
    columns,
    random_frame,
)

PRICES = ["open", "high", "low", "close"]
LENGTH = 368  # what the longest warm-up needs, and one more

#: Prices that a binary number holds exactly, and others that it does not.
LEVELS = (50.0, 0.1 + 0.2, 33.37, 0.7, 1e-4, 612_345.67)

#: Ratios of quantities that are zero if no price ever moved.
OF_A_STILL_PRICE = {
    *("rsi", "tsi", "ultimate_oscillator", "stoch", "stoch_signal", "williams_r"),
    *("stochrsi", "stochrsi_k", "stochrsi_d", "bollinger_pband", "keltner_channel_pband"),
    *("donchian_channel_pband", "mass_index", "cci", "adx", "adx_pos", "adx_neg", "stc"),
    *("vortex_indicator_pos", "vortex_indicator_neg", "vortex_indicator_diff"),
    *("acc_dist_index", "chaikin_money_flow", "money_flow_index", "ta_money_flow_index"),
}
#: The values of `ta` for outputs that we define ourselves; the rule does not apply to them.
OF_TA = {output for output in OUTPUTS if output.startswith(TA_PREFIX)}

#: A trend that such bars do not have: `ta` begins with a rise that no bar ends.
OF_NO_FALL = {"ta_psar_down"}

#: Outputs that stay defined after the last move, since they remember it.
REMEMBER = {"rsi", "tsi", "mass_index", "adx", "adx_pos", "adx_neg", "acc_dist_index"}

#: The efficiency ratio is 0/0, but the average is the price if the price never moved.
OF_A_PRICE_THAT_STOPPED = {*OF_A_STILL_PRICE, "kama"} - REMEMBER

#: Flags of a close beyond a band, which can be equal on paper.
OF_A_BAND = {
    *("bollinger_hband_indicator", "bollinger_lband_indicator"),
    *("keltner_channel_hband_indicator", "keltner_channel_lband_indicator"),
}

#: Outputs that rounding could decide.
OF_ROUNDING = (OF_A_STILL_PRICE - OF_TA) | OF_A_BAND | {"pvo_signal", "pvo_hist"}

#: Ratios to a volume.
OF_NO_VOLUME = {
    *("pvo", "pvo_signal", "pvo_hist", "ease_of_movement", "sma_ease_of_movement"),
    *("chaikin_money_flow", "money_flow_index", "ta_money_flow_index"),
    "volume_weighted_average_price",
}


def parameters(output: str) -> dict[str, Any]:
    return {"window": 20} if output == "sma_indicator" else {}


def undefined(*frames: pd.DataFrame) -> list[set[str]]:
    """Name, for each frame, the outputs without a finite value at the last two bars."""
    series = IndicatorSeries(arrays(*frames))
    found: list[set[str]] = [set() for _ in frames]
    for output in OUTPUTS:
        newest = series.of(resolve(output, parameters(output)))[-2:]
        for symbol in np.flatnonzero(~np.isfinite(newest).all(axis=0)):
            found[symbol].add(output)
    return found


def still(price: float) -> pd.DataFrame:
    return random_frame(1, LENGTH).assign(**dict.fromkeys(PRICES, price))


def stopped(seed: int, price: float, unchanged: int) -> pd.DataFrame:
    """Return a random walk in ticks of the price that ends with this many equal bars."""
    frame = random_frame(seed, LENGTH)
    tick = price / 10_000
    frame[PRICES] = (frame[PRICES] / frame["close"].iloc[-unchanged - 1] * 10_000).round() * tick
    frame.loc[frame.index[-unchanged:], PRICES] = price
    return frame


def test_a_price_that_never_moved_leaves_exactly_the_ratios_of_moves_undefined() -> None:
    for found in undefined(*map(still, LEVELS)):
        assert found == OF_A_STILL_PRICE | OF_NO_FALL


def test_a_price_that_stopped_leaves_the_ratios_of_recent_moves_undefined() -> None:
    frames = [stopped(seed, price, 60) for seed, price in enumerate(LEVELS)]
    for found in undefined(*frames):
        assert found - OF_NO_FALL == OF_A_PRICE_THAT_STOPPED


def differing_by_rounding() -> pd.DataFrame:
    """Take 0.3 or 0.1 + 0.2 for every price; they differ by one part in 2**53."""
    frame = still(0.3)
    chosen = np.random.default_rng(1).random((LENGTH, 4)) < 0.5
    frame[PRICES] = np.where(chosen, 0.3, 0.1 + 0.2)
    frame["high"], frame["low"] = frame[PRICES].max(axis=1), frame[PRICES].min(axis=1)
    return frame


def test_prices_that_differ_by_rounding_alone_never_moved() -> None:
    (found,) = undefined(differing_by_rounding())
    assert found - OF_TA == OF_A_STILL_PRICE - OF_TA


@pytest.mark.parametrize(
    ("output", "others"),
    [
        ("keltner_channel_pband", {"original_version": False}),
        ("donchian_channel_pband", {"offset": 5}),
        ("stoch", {"window": 1}),
        ("money_flow_index", {"window": 1}),
    ],
)
def test_other_parameters_have_the_rule_as_well(output: str, others: dict[str, Any]) -> None:
    series = IndicatorSeries(arrays(differing_by_rounding(), random_frame(3, LENGTH)))
    assert np.isnan(series.of(resolve(output, others))[-2:, 0]).all()
    assert np.isfinite(series.of(resolve(output, others))[-2:, 1]).all()


@pytest.mark.parametrize("output", sorted(OF_ROUNDING))
def test_the_unit_of_prices_changes_no_ratio(output: str) -> None:
    """Rounding depends on the unit, so a value that rounding decides would show here."""
    wanted = resolve(output, {})
    for unchanged in (13, 25):
        frames = [stopped(1, price, unchanged) for price in LEVELS[:4]]
        newest = IndicatorSeries(arrays(*frames)).of(wanted)[-2:]
        for values in newest:
            assert np.allclose(values, values[0], rtol=1e-6, atol=1e-6, equal_nan=True)


def test_one_move_long_ago_leaves_what_remembers_it_defined() -> None:
    frame = still(0.7)
    frame.loc[frame.index[-200:], PRICES] = 0.77
    (found,) = undefined(frame)
    assert "rsi" not in found
    assert {"stochrsi", "stc", "cci", "keltner_channel_pband"} <= found


def resumed(moving: int) -> pd.DataFrame:
    """Return bars that stand still without volume, then move and trade for this many bars."""
    frame = random_frame(9, LENGTH)
    frame.loc[frame.index[:-moving], PRICES] = frame["close"].iloc[-moving]
    frame.loc[frame.index[:-moving], "volume"] = 0.0
    return frame


def test_an_average_of_undefined_values_is_undefined_until_it_has_forgotten_them() -> None:
    early, later = undefined(resumed(40), resumed(180))
    assert {"pvo_signal", "pvo_hist", "adx", "stc"} <= early
    assert not early & {"pvo", "adx_pos", "adx_neg", "rsi", "tsi"}
    assert later == set()


def test_no_volume_leaves_exactly_the_ratios_to_volume_undefined() -> None:
    (found,) = undefined(random_frame(2, LENGTH).assign(volume=0.0))
    assert found == OF_NO_VOLUME


def test_a_missing_session_leaves_nothing_undefined() -> None:
    assert undefined(random_frame(3, LENGTH + 1).drop(index=LENGTH - 2)) == [set()]


def test_a_gap_in_price_leaves_nothing_undefined() -> None:
    frame = random_frame(4, LENGTH)
    frame.loc[frame.index[-30:], PRICES] *= 1.5
    assert undefined(frame) == [set()]


class One(Strategy):
    """A strategy with one output and nothing else."""

    def __init__(self, output: str) -> None:
        self._indicators = {"x": Indicator(output, **parameters(output))}
        super().__init__()

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        return self._indicators

    def target_weights(self, *_: object) -> dict[str, Decimal]:
        return {}


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_shortest_history_gives_a_value_and_one_bar_less_is_refused(output: str) -> None:
    strategy = One(output)
    need = strategy.bars_needed()
    assert need == resolve(output, parameters(output)).warm_up + 1
    frame = random_frame(7, need)
    features = compute({"A": columns(frame)}, strategy, {})
    assert isinstance(features.values["A"]["x"], FeatureValue)
    with pytest.raises(InsufficientHistoryError, match="HISTORY_TOO_SHORT"):
        compute({"A": columns(frame.iloc[1:])}, strategy, {})


def test_typical_prices_that_are_equal_on_paper_move_no_money() -> None:
    """Two sets of three prices add up to 30.3, but their computed sums differ in the last digit."""
    frame = random_frame(8, LENGTH)
    frame["close"] = 10.1
    frame["high"] = np.where(frame.index % 2, 10.3, 10.2)
    frame["low"] = np.where(frame.index % 2, 9.9, 10.0)
    sums = frame["high"] + frame["low"] + frame["close"]
    assert sums.nunique() == 2
    (found,) = undefined(frame)
    assert {"money_flow_index", "cci"} <= found


@pytest.mark.parametrize("name", sorted(OF_A_BAND))
def test_a_price_that_equals_its_band_is_not_beyond_it(name: str) -> None:
    frames = [still(price) for price in LEVELS]
    values = IndicatorSeries(arrays(*frames)).of(resolve(name, {}))
    assert (values[-2:] == 0).all()


@cache
def real_series() -> IndicatorSeries:
    return IndicatorSeries(real_bars("MSFT"))


@pytest.mark.parametrize("output", sorted(OF_ROUNDING | {"kama"}))
def test_no_value_of_the_real_bars_is_taken_for_rounding(output: str) -> None:
    series, wanted = real_series(), resolve(output, {})
    assert np.isfinite(series.of(wanted)[wanted.warm_up :]).all()
