"""Windows and averages of many symbols are those of each one, and large ones need little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from algotrader.indicators.arrays import (
    carry,
    exponential,
    over_windows,
    recently,
    wilder_average,
    windows,
)


def spread(each: np.ndarray) -> np.ndarray:
    return each.std(axis=-1)


def test_a_number_of_every_window_is_computed_a_few_symbols_at_a_time() -> None:
    values = np.random.default_rng(1).random((400, 150))
    tracemalloc.start()
    try:
        found = over_windows(spread, values, 200)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6  # all windows at once are 201 x 150 x 200 numbers of 8 bytes
    assert np.isnan(found[:199]).all()
    for symbol in (0, 77, 149):
        own = windows(values[:, symbol : symbol + 1], 200).std(axis=-1)
        assert np.allclose(found[199:, symbol], own[:, 0], rtol=1e-12, atol=0)


def test_fewer_bars_than_a_window_give_no_value() -> None:
    assert np.isnan(over_windows(spread, np.ones((3, 2)), 4)).all()
    assert np.isnan(wilder_average(np.ones((3, 2)), 4)).all()


@pytest.mark.parametrize("length", [1, 2, 32, 33, 34, 200])
def test_an_exponential_average_is_that_of_pandas(length: int) -> None:
    values = np.random.default_rng(2).random((length, 3))
    values[: length // 4] = np.nan
    expected = pd.DataFrame(values).ewm(alpha=0.1, adjust=False).mean().to_numpy()
    assert np.allclose(exponential(values, 0.1), expected, rtol=1e-13, atol=0, equal_nan=True)


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
