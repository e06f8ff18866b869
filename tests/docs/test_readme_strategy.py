from __future__ import annotations

from datetime import date
from decimal import Decimal

from algotrader.model import FeatureValue
from algotrader.strategy import Strategy
from algotrader.strategy.view import Market, Portfolio, SymbolFeatures
from tests.docs.markdown import blocks


def _strategy() -> type[Strategy]:
    (block,) = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(compile(block.text, "README.md", "exec"), names)  # noqa: S102 - the page's own code
    (found,) = [
        each
        for each in names.values()
        if isinstance(each, type) and issubclass(each, Strategy) and each is not Strategy
    ]
    return found


def _view(price: str, trend: float, rsi: float) -> SymbolFeatures:
    values = {"trend": FeatureValue(trend, trend), "rsi": FeatureValue(rsi, rsi)}
    return SymbolFeatures(values, Decimal(price))


def test_the_readmes_strategy_weighs_what_it_says() -> None:
    market = Market(
        session=date(2012, 2, 15),
        as_of=date(2012, 2, 14),
        symbols={
            "AAPL": _view("500", 400, 60),
            "GOOG": _view("300", 400, 60),
            "IBM": _view("500", 400, 80),
        },
    )
    nothing_held = Portfolio(capital=Decimal(100000), quantities={}, weights={})
    assert _strategy()().target_weights(market, nothing_held) == {"AAPL": Decimal("0.25")}


def test_the_readmes_strategy_takes_the_parameter_it_names() -> None:
    assert _strategy().parameter_types() == {"ceiling": float}
    assert _strategy()(ceiling=65).bars_needed() > 50
