"""Owns momentum rotation: hold the few symbols that rose most."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from algotrader.strategy import Indicator, Market, Portfolio, Strategy, equal_weight


class MomentumRotation(Strategy):
    """Hold the `top` symbols with the highest rate of change over `window` bars, in equal parts."""

    window: int = 126
    top: int = 3

    def check(self) -> None:
        """Refuse a rotation without a window or without a holding."""
        if self.window < 1 or self.top < 1:
            message = f"window and top must be at least 1: {self.window}, {self.top}"
            raise ValueError(message)

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """The rate of change of the close, in per cent."""
        return {"momentum": Indicator("roc", window=self.window)}

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return an equal part to each of the strongest; of equals, the first in the alphabet."""
        del portfolio  # what is held already makes no difference to this strategy
        by_strength = sorted(
            market.symbols, key=lambda symbol: (-market[symbol]["momentum"], symbol)
        )
        return dict.fromkeys(by_strength[: self.top], equal_weight(self.top))
