"""Owns RSI mean reversion: buy what has fallen too fast, sell it when it has come back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from algotrader.strategy import Indicator, Market, Portfolio, Strategy, equal_weight


class RsiMeanReversion(Strategy):
    """Enter a symbol when its RSI is below one level, leave it when it is above another.

    Between the two nothing changes: a strategy with one level alone would trade every time the RSI
    trembles around it. With a `stop_loss` of 0.08 each holding also has a protective stop at the
    broker, 8 % below what was paid; 0 is none.
    """

    window: int = 14
    enter_below: float = 30.0
    exit_above: float = 55.0
    stop_loss: float = 0.0

    def check(self) -> None:
        """Refuse levels that leave no room between them."""
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
        """Return a share to what is oversold, and let what is held run until it has recovered."""
        share = equal_weight(len(market.symbols))
        weights = {}
        for symbol, view in market.items():
            if view["rsi"] < self.enter_below:
                weights[symbol] = share
            elif view["rsi"] <= self.exit_above and symbol in portfolio.weights:
                # What is held stays as it is; at most a share each, so that all fit together.
                weights[symbol] = min(portfolio.weights[symbol], share)
        return weights

    def stop_prices(self, market: Market, portfolio: Portfolio) -> dict[str, Decimal]:
        """Return each symbol its stop below what was paid, or below the price it would be bought
        at.

        What was paid changes when more is bought, and with every split, as prices do.
        """
        if not self.stop_loss:
            return {}
        kept = 1 - Decimal(str(self.stop_loss))
        bases = {symbol: portfolio.costs.get(symbol, view.price) for symbol, view in market.items()}
        return {symbol: base * kept for symbol, base in bases.items() if base is not None}
