"""Rounding an array gives the bits that Python's decimal formatting gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algotrader.indicators.significant_digits import round_value, round_values


def by_formatting(values: np.ndarray) -> np.ndarray:
    return np.array([float(f"{value:.10g}") + 0.0 for value in values])


def decimals() -> st.SearchStrategy[float]:
    """Return numbers near the middle between two numbers of ten digits, and near powers of ten."""
    return st.builds(
        lambda digits, half, exponent: float(f"{digits}{half}e{exponent}"),
        st.integers(-(10**10), 10**10),
        st.sampled_from(["", ".5", ".4999999", ".5000001", ".49999", ".9999999"]),
        st.integers(-40, 40),
    )


@given(arrays(np.float64, 20, elements=st.one_of(st.floats(), decimals())))
@example(np.array([0.0, -0.0, 1.0, 100.0, 9999999999.5, 1e22, 5e-324, 1.7e308, 1 / 3, 2.5]))
def test_an_array_is_rounded_to_the_bits_of_the_decimal_number(values: np.ndarray) -> None:
    assert round_values(values).tobytes() == by_formatting(values).tobytes()


def test_many_random_values_of_all_sizes_are_rounded_to_the_bits_of_the_decimal_number() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, 50_000) * 10.0 ** rng.integers(-20, 25, 50_000)
    assert round_values(values).tobytes() == by_formatting(values).tobytes()


def test_values_next_to_the_middle_of_two_numbers_are_rounded_to_the_nearer_one() -> None:
    rng = np.random.default_rng(2)
    middles = rng.integers(10**9, 10**10, 20_000) + 0.5
    values = (middles + rng.integers(-3, 4, 20_000) * 1e-6) * 10.0 ** rng.integers(-15, 8, 20_000)
    assert round_values(values).tobytes() == by_formatting(values).tobytes()


def test_minus_zero_becomes_zero_and_what_is_not_finite_stays() -> None:
    rounded = round_values(np.array([-0.0, math.nan, math.inf, -math.inf]))
    assert math.copysign(1, rounded[0]) == 1
    assert rounded[1:].tolist() == pytest.approx([math.nan, math.inf, -math.inf], nan_ok=True)
    assert math.copysign(1, round_value(-0.0)) == 1
