"""The strategy interface: the names that a strategy file imports."""

from algotrader.strategy.base import Indicator, Strategy, equal_weight
from algotrader.strategy.files import Files
from algotrader.strategy.loader import load_strategy
from algotrader.strategy.view import Market, Portfolio, SymbolFeatures

__all__ = [
    "Files",
    "Indicator",
    "Market",
    "Portfolio",
    "Strategy",
    "SymbolFeatures",
    "equal_weight",
    "load_strategy",
]
