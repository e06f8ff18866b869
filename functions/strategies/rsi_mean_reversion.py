"""Owns RSI mean reversion: buy a symbol that fell too fast, and sell it after it recovers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from algotrader.strategy import Indicator, Market, Portfolio, Strategy, equal_weight


class RsiMeanReversion(Strategy):
    """Buy a symbol when its RSI is below one level, and sell it when the RSI is above another.

    Between the two levels nothing changes. With a single level, the strategy would trade each time
    the RSI crosses that level. With a `stop_loss` of 0.08, each holding also has a protective stop
    at the broker, 8 % below its average cost. 0 means no stop.
    """

    window: int = 14
    enter_below: float = 30.0
    exit_above: float = 55.0
    stop_loss: float = 0.0

    def check(self) -> None:
        """Check the window, the order of the two levels, and the stop loss."""
        if self.window < 2:  # noqa: PLR2004 - an RSI over one bar is always 0 or 100
            message = f"window must be at least 2: {self.window}"
            raise ValueError(message)
        if not 0 < self.enter_below < self.exit_above < 100:  # noqa: PLR2004 - an RSI's range
            message = (
                "the levels must satisfy 0 < enter_below < exit_above < 100: "
                f"{self.enter_below}, {self.exit_above}"
            )
            raise ValueError(message)
        if not 0 <= self.stop_loss < 1:
            message = f"stop_loss must be at least 0 and less than 1: {self.stop_loss}"
            raise ValueError(message)

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """The close's relative strength index."""
        return {"rsi": Indicator("rsi", window=self.window)}

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return an equal share for each oversold symbol, and keep holdings until they recover."""
        share = equal_weight(len(market.universe))
        weights = {}
        for symbol, view in market.items():
            if view["rsi"] < self.enter_below:
                weights[symbol] = share
            elif view["rsi"] <= self.exit_above and symbol in portfolio.weights:
                # A holding keeps its weight, up to one equal share, so the sum is at most 1.
                weights[symbol] = min(portfolio.weights[symbol], share)
        return weights

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return each symbol's stop price, `stop_loss` below its average cost.

        For a symbol that the desk does not hold yet, the latest price replaces the average cost.
        """
        if not self.stop_loss:
            return {}
        kept = 1 - Decimal(str(self.stop_loss))
        bases = {symbol: portfolio.costs.get(symbol, view.price) for symbol, view in market.items()}
        return {symbol: base * kept for symbol, base in bases.items() if base is not None}
