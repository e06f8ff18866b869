"""Owns the settings that most tests start from: the template's defaults, for a stack `desk`.

Its numbers are the defaults of `Settings`.
"""

from __future__ import annotations

import re

from algotrader.model import OrderType, Settings, TradingMode
from local.sandbox.aws.template import read_template

SETTINGS = Settings(
    stack="desk",
    mode=TradingMode.PAPER,
    live_account_number="",
    strategy="momentum_rotation",
    strategy_parameters={},
    symbols=("AAPL", "GOOG", "IBM", "MSFT"),
    capital=None,
    deny_symbols=(),
    benchmark="SPY",
    order_type=OrderType.LIMIT,
    fractional_shares=False,
    bars_feed="sip",
    data_feed="iex",
    adjustment="split",
    slots=("day",),
    universes={},
)


def variable(parameter: str) -> str:
    """Return the variable that carries a parameter of the template."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def default_variables() -> dict[str, str]:
    """Return the variables that carry the template's parameters, each with its default."""
    parameters = read_template()["Parameters"]
    return {variable(name): str(each["Default"]) for name, each in parameters.items()}
