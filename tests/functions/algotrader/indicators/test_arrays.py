"""Windows and averages match those of pandas, for each symbol separately."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from algotrader.indicators.arrays import (
    carry,
    exponential,
    highest,
    lowest,
    mean,
    mean_distance,
    recently,
    wilder_average,
)


@pytest.mark.parametrize("bars", [1, 2, 7, 60])
def test_windows_are_those_of_pandas(bars: int) -> None:
    values = np.random.default_rng(1).random((60, 3))
    windows = pd.DataFrame(values).rolling(bars)
    same = {"rtol": 1e-12, "atol": 1e-15, "equal_nan": True}
    assert np.allclose(mean(values, bars), windows.mean(), **same)
    assert np.allclose(highest(values, bars), windows.max(), **same)
    assert np.allclose(lowest(values, bars), windows.min(), **same)
    assert np.allclose(mean_distance(np.square, values, bars), windows.var(ddof=0), **same)
    absolute = windows.apply(lambda each: np.abs(each - each.mean()).mean(), raw=True)
    assert np.allclose(mean_distance(np.abs, values, bars), absolute, **same)


def test_a_window_that_contains_nan_has_no_value() -> None:
    values = np.array([[np.nan], [1.0], [2.0], [3.0]])
    for compute in (mean, highest, lowest):
        assert np.isnan(compute(values, 2)[:, 0]).tolist() == [True, True, False, False]


def test_fewer_bars_than_a_window_give_no_value() -> None:
    values = np.ones((3, 2))
    for window in (4, 5, 9):
        for compute in (mean, highest, lowest, wilder_average):
            assert np.isnan(compute(values, window)).all()
        assert np.isnan(mean_distance(np.abs, values, window)).all()


@pytest.mark.parametrize("length", [1, 2, 200])
def test_an_exponential_average_is_that_of_pandas(length: int) -> None:
    values = np.random.default_rng(2).random((length, 3))
    values[: length // 4] = np.nan
    expected = pd.DataFrame(values).ewm(alpha=0.1, adjust=False).mean().to_numpy()
    assert np.allclose(exponential(values, 0.1), expected, rtol=1e-13, atol=0, equal_nan=True)
    weights = np.full_like(values, 0.1)
    assert exponential(values, weights).tobytes() == exponential(values, 0.1).tobytes()


def test_the_exponential_average_of_a_constant_is_the_constant() -> None:
    values = np.full((50, 1), 0.1 + 0.2)
    assert np.array_equal(exponential(values, 1 / 14), values)


def test_wilders_average_begins_with_a_mean_and_goes_on_by_one_part_of_the_window() -> None:
    values = np.array([[np.nan], [1.0], [2.0], [6.0], [7.0]])
    assert wilder_average(values, 3)[:, 0] == pytest.approx(
        [np.nan, np.nan, np.nan, 3, (2 * 3 + 7) / 3], nan_ok=True
    )


def test_a_flag_was_set_recently_and_a_value_is_carried_on_for_each_symbol_by_itself() -> None:
    flags = np.array([[True, False], [False, False], [False, True], [False, False]])
    assert recently(flags, 2).tolist() == [
        [True, False],
        [True, False],
        [False, True],
        [False, True],
    ]
    values = np.array([[np.nan, 1.0], [2.0, np.nan], [np.nan, np.nan], [3.0, 4.0]])
    assert carry(values)[:, 0] == pytest.approx([np.nan, 2, 2, 3], nan_ok=True)
    assert carry(values)[:, 1].tolist() == [1, 1, 1, 4]
