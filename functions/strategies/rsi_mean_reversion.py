"""Owns RSI mean reversion: buy a symbol that fell too fast, sell it once it has recovered."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from algotrader.strategy import Indicator, Market, Portfolio, Strategy, equal_weight


class RsiMeanReversion(Strategy):
    """Buy a symbol when its RSI is below one level, sell it when it is above another.

    Between the two levels nothing changes. With a single level the strategy would trade each time
    the RSI oscillates around it. With a `stop_loss` of 0.08 each holding also has a protective stop
    at the broker, 8 % below the average price paid; 0 means no stop.
    """

    window: int = 14
    enter_below: float = 30.0
    exit_above: float = 55.0
    stop_loss: float = 0.0

    def check(self) -> None:
        """Check the window, the order of the two levels, and the stop loss."""
        if self.window < 2:  # noqa: PLR2004 - over one bar an RSI is always 0 or 100
            message = f"window must be at least 2: {self.window}"
            raise ValueError(message)
        if not 0 < self.enter_below < self.exit_above < 100:  # noqa: PLR2004 - an RSI's range
            message = (
                "0 < enter_below < exit_above < 100 must hold: "
                f"{self.enter_below}, {self.exit_above}"
            )
            raise ValueError(message)
        if not 0 <= self.stop_loss < 1:
            message = f"stop_loss must be from 0 to below 1: {self.stop_loss}"
            raise ValueError(message)

    @property
    def indicators(self) -> Mapping[str, Indicator]:
        """The relative strength index of the close."""
        return {"rsi": Indicator("rsi", window=self.window)}

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return an equal share for each oversold symbol, and keep holdings until they recover."""
        share = equal_weight(len(market.symbols))
        weights = {}
        for symbol, view in market.items():
            if view["rsi"] < self.enter_below:
                weights[symbol] = share
            elif view["rsi"] <= self.exit_above and symbol in portfolio.weights:
                # A holding keeps its weight, at most one share each, so that the sum is at most 1.
                weights[symbol] = min(portfolio.weights[symbol], share)
        return weights

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return each symbol's stop price, `stop_loss` below its average cost.

        For a symbol that the desk does not hold yet, it is below the latest price. A further buy
        changes the average cost; a split changes cost and prices alike.
        """
        if not self.stop_loss:
            return {}
        kept = 1 - Decimal(str(self.stop_loss))
        bases = {symbol: portfolio.costs.get(symbol, view.price) for symbol, view in market.items()}
        return {symbol: base * kept for symbol, base in bases.items() if base is not None}
