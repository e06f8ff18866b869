"""A strategy that needs looser limits than the deployed ones is refused, with both numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from algotrader.errors import ConfigurationError
from algotrader.model import Settings
from algotrader.model.settings import BOUNDS, parameter_of
from algotrader.strategy.required_limits import check_limits, find_flaw
from tests.support.desk_world import SETTINGS, settings

TIGHT = settings(
    **{
        field: Decimal(max(bounds.lowest, 0)) + (Decimal("0.1") if bounds.above_lowest else 0)
        for field, bounds in BOUNDS.items()
        if field.startswith("max_") or field == "capital"
    }
    | {"min_order_notional": Decimal(500), "min_minutes_to_close": 60}
    | {"cash_reserve": Decimal("0.5"), "no_trade_band": Decimal("0.2")}
)


def refusal(requires: dict[str, Any], under: Settings) -> str:
    assert find_flaw(requires) == ""
    with pytest.raises(ConfigurationError) as caught:
        check_limits(requires, under)
    return str(caught.value)


def test_a_limit_that_is_too_tight_is_named_with_deployed_and_needed_value() -> None:
    assert refusal({"MaxPositionWeight": "1"}, settings(max_position_weight=Decimal("0.35"))) == (
        "LIMITS_TOO_TIGHT: parameter=MaxPositionWeight deployed=0.35 needed=1 "
        "strategy=fixed_weights. The strategy cannot work under the deployed limits. Deploy "
        "MaxPositionWeight at least 1, or choose another Strategy."
    )


def test_all_limits_that_are_too_tight_are_named_at_once() -> None:
    words = refusal({"MaxPositions": 5, "MaxTurnover": "0.05", "CashReserve": 0.1}, TIGHT)
    assert "parameter=MaxPositions, CashReserve deployed=1, 0.5 needed=5, 0.1" in words
    assert "Deploy MaxPositions at least 5, CashReserve at most 0.1, or" in words


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("MaxPositionWeight", "0.5"),
        ("MaxOrderNotional", 1000),
        ("MaxOrdersPerRun", 3),
        ("MaxPositions", Decimal(2)),
        ("MaxGrossExposure", 0.9),
        ("MaxTurnover", "1.5"),
        ("MaxPriceDeviation", "0.3"),
        ("MaxDailyLoss", "0.2"),
        ("MaxDrawdown", "0.5"),
        ("Capital", "10000"),
        ("MinOrderNotional", "100"),
        ("MinMinutesToClose", 0),
        ("CashReserve", 0.0),
        ("NoTradeBand", "0.01"),
    ],
)
def test_every_limit_of_an_order_can_be_required(parameter: str, value: Any) -> None:
    assert f"parameter={parameter} " in refusal({parameter: value}, TIGHT)


def test_the_deployed_value_itself_is_enough_and_no_capital_is_the_loosest() -> None:
    for field in ("max_position_weight", "max_positions", "cash_reserve", "no_trade_band"):
        check_limits({parameter_of(field): str(getattr(SETTINGS, field))}, SETTINGS)
    check_limits({"Capital": "1000000"}, settings(capital=None))
    check_limits({}, TIGHT)


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        (
            {"MaxPositonWeight": "1"},
            "'MaxPositonWeight', which is not a limit; did you mean",
        ),
        ({"max_positions": "1"}, "did you mean MaxPositions"),
        ({"Symbols": "SPY"}, "'Symbols', which is not a limit"),
        ({7: "1"}, "requires names 7, which is not a limit"),
        ({"MaxPositionWeight": "much"}, "'much'; write a number above 0 to 1."),
        ({"MaxPositionWeight": "nan"}, "'nan'; write a number"),
        ({"MaxPositionWeight": True}, "True; write a number"),
        ({"MaxPositionWeight": None}, "None; write a number"),
        ({"MaxPositionWeight": 1.5}, "1.5; write a number above 0 to 1."),
        ({"MinMinutesToClose": -1}, "-1; write a number from 0 to 390."),
        (("MaxPositions",), 'a dict of limits, as in requires = {"MaxPositionWeight": "1"}.'),
    ],
)
def test_what_is_not_a_limit_with_a_number_is_described(requires: Any, words: str) -> None:
    assert words in find_flaw(requires)
