"""Owns momentum rotation: hold the few symbols that rose the most."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from algotrader.strategy import Indicator, Market, Portfolio, Strategy, equal_weight


class MomentumRotation(Strategy):
    """Own the `top` symbols with the highest rate of change over `window` bars, equally weighted.

    A holding without usable data cannot be ranked. It keeps its place among the `top`.
    """

    window: int = 126
    top: int = 3

    def check(self) -> None:
        """Check that window and top are at least 1."""
        if self.window < 1 or self.top < 1:
            message = f"window and top must be at least 1: {self.window}, {self.top}"
            raise ValueError(message)

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """The close's rate of change over `window` bars, in percent."""
        return {"momentum": Indicator("roc", window=self.window)}

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return an equal weight for each of the strongest symbols; break ties alphabetically."""
        by_strength = sorted(
            market.symbols, key=lambda symbol: (-market[symbol]["momentum"], symbol)
        )
        places = self.top - sum(symbol in market.unfit for symbol in portfolio.weights)
        return dict.fromkeys(by_strength[: max(places, 0)], equal_weight(self.top))
