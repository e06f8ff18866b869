"""The text message about a strategy's mistake has the file, the line and the numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from algotrader.errors import StrategyError
from algotrader.messages import make_texts
from algotrader.strategy import Market, Portfolio, Strategy
from algotrader.strategy.evaluate import evaluate_weights
from tests.support.checkout import CHECKOUT
from tests.support.finished_runs import failed


class _Own(Strategy):
    """A strategy whose result is computed when the run calls it."""

    def __init__(self, answer: Callable[[Decimal], Any]) -> None:
        super().__init__()
        self.answer = answer

    def target_weights(self, market: Market, portfolio: Portfolio) -> Any:
        del market
        return self.answer(portfolio.capital)


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        (lambda capital: capital - 0.5, r"error=.test_mistakes\.py:\d+ TypeError: Decimal - float"),
        (lambda _: {"AAPL": 0.7, "MSFT": 0.5}, r"total=1\.2 strategy=test_mistakes"),
        (lambda _: {"SPY": 0.5}, r"symbol=.SPY. .*Add it to the template's Symbols"),
    ],
)
def test_the_text_of_a_failing_strategy_has_the_useful_fact(answer: Any, rest: str) -> None:
    market = Market(date(2013, 2, 28), date(2013, 2, 27), {})
    portfolio = Portfolio(Decimal(1000), {}, {})
    with pytest.raises(StrategyError) as caught:
        evaluate_weights(_Own(answer), "test_mistakes", ("AAPL", "MSFT"), market, portfolio)
    text = make_texts(failed("Decide Orders", "StrategyError", str(caught.value))).sms
    assert re.search(rf"{caught.value.code}\. No order sent\. {rest}", text)


def test_no_advice_repeats_that_nothing_was_traded() -> None:
    """The text says which orders were sent, and it has room for little else."""
    found = [
        str(path)
        for path in (CHECKOUT / "functions").rglob("*.py")
        if "Nothing was traded" in path.read_text(encoding="utf-8")
    ]
    assert found == []
