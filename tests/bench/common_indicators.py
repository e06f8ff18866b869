"""A strategy of twelve common indicators over 300 bars, which the bench measures."""

from __future__ import annotations

from algotrader.strategy import Indicator, Market, Portfolio, Strategy


class CommonIndicators(Strategy):
    """Declare the indicators and hold nothing."""

    look_back = 299  # and one bar for the previous values
    indicators = {  # noqa: RUF012
        "sma_indicator": Indicator("sma_indicator", window=20),
        **{
            name: Indicator(name)
            for name in (
                *("ema_indicator", "rsi", "macd_diff", "bollinger_hband", "average_true_range"),
                *("adx", "stoch", "cci", "kama", "psar", "roc"),
            )
        },
    }

    def target_weights(self, market: Market, portfolio: Portfolio) -> dict[str, float]:
        """Return no targets."""
        del market, portfolio
        return {}
