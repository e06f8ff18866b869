"""Owns the settings of most tests: the template's defaults, for a stack named ``desk``.

Their numbers are the defaults of `Settings`.
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
    adjustment="split,spin-off",
    slots=("day",),
    universes={},
)


def variable(parameter: str) -> str:
    """Return the environment variable for a parameter of the template."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def default_variables() -> dict[str, str]:
    """Return the environment variables for the template's parameters, with their defaults."""
    parameters = read_template()["Parameters"]
    return {variable(name): str(each["Default"]) for name, each in parameters.items()}
