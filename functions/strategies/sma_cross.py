"""Owns the moving-average cross: hold a symbol while it trends up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from algotrader.strategy import Indicator, Market, Portfolio, Strategy, equal_weight


class SmaCross(Strategy):
    """Own a symbol while its fast moving average is above its slow one.

    Every symbol of the universe gets an equal share of the capital. If a symbol does not trend up,
    its share stays in cash.
    """

    fast: int = 20
    slow: int = 100

    def check(self) -> None:
        """Check that ``1 <= fast < slow``."""
        if not 1 <= self.fast < self.slow:
            message = f"fast must be at least 1 and less than slow: {self.fast}, {self.slow}"
            raise ValueError(message)

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """Two simple moving averages of the close."""
        return {
            "fast": Indicator("sma", window=self.fast),
            "slow": Indicator("sma", window=self.slow),
        }

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return an equal share for each symbol that trends up."""
        del portfolio  # this strategy does not depend on what the desk holds
        share = equal_weight(len(market.universe))
        return {symbol: share for symbol, view in market.items() if view["fast"] > view["slow"]}
