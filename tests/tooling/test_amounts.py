"""Amounts with different meanings have different types, so mypy rejects a swapped pair."""

from __future__ import annotations

import re
from pathlib import Path

from mypy import api

from tests.support.checkout import CHECKOUT

CODE = """
from algotrader.model import Settings
from algotrader.model.units import CENT, Dollars, Fraction, Price, Shares
from algotrader.portfolio.capital import BuyingBudget
from algotrader.portfolio.sizing import Size, shares_for, size_for
from algotrader.risk.prices import price_deviation, stop_above_price

dollars, shares, price, fraction = Dollars(CENT), Shares(CENT), Price(CENT), Fraction(CENT)


def right(budget: BuyingBudget, size: Size) -> None:
    shares_for(money=dollars, price=price, step=shares)
    size_for(money=dollars, worst=price, step=shares, by_value=False)
    size.is_enough(worst=price, step=shares, least=dollars)
    budget.after_sales(proceeds=dollars, cash_reserve=fraction)
    stop_above_price(stop=price, price=price)
    price_deviation(price=price, last_close=CENT, allowed=fraction)


def swapped(budget: BuyingBudget, size: Size, settings: Settings) -> None:
    shares_for(money=price, price=dollars, step=shares)
    shares_for(dollars, price, shares)
    size_for(money=dollars, worst=shares, step=price, by_value=False)
    size.is_enough(worst=dollars, step=shares, least=price)
    budget.after_sales(proceeds=fraction, cash_reserve=dollars)
    budget.after_buy(cost=settings.max_position_weight)
    stop_above_price(stop=shares, price=price)
    price_deviation(price=fraction, last_close=CENT, allowed=price)
    size_for(money=CENT, worst=price, step=shares, by_value=False)
"""


def test_a_swapped_pair_of_amounts_does_not_type_check(tmp_path: Path) -> None:
    path = tmp_path / "amounts.py"
    path.write_text(CODE)
    config = tmp_path / "mypy.ini"
    config.write_text(f"[mypy]\nstrict = True\nmypy_path = {CHECKOUT / 'functions'}\n")
    report, problems, _ = api.run(
        [f"--config-file={config}", f"--cache-dir={tmp_path / 'cache'}", str(path)]
    )
    wrong = {int(line) for line in re.findall(r"amounts\.py:(\d+): error", report)}
    swapped = CODE.splitlines().index(next(x for x in CODE.splitlines() if "def swapped" in x)) + 2
    assert wrong == {*range(swapped, len(CODE.splitlines()) + 1)}, report + problems
