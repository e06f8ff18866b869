"""On an ex-date the desk compares a price with the previous close less the value that left it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.accounting.ex_dates import less_dividends, value_that_left
from algotrader.model import CorporateAction, NewShares
from tests.support.performance_looks import MONDAY, prices

D = Decimal
PAID = CorporateAction("AAPL", "cash_dividend", MONDAY, None, cash=D(30))
SPUN = CorporateAction(
    "AAPL", "spin_off", MONDAY, None, ("SPUN",), shares=(NewShares("SPUN", D("0.5")),)
)
RENAMED = CorporateAction(
    "IBM", "name_change", MONDAY, None, ("NEW",), shares=(NewShares("NEW", D(1)),)
)


def test_cash_and_other_shares_at_their_price_have_left_the_close() -> None:
    found = value_that_left((PAID, SPUN, RENAMED), prices(SPUN="16", NEW="100"))

    assert found == {"AAPL": 38}  # new shares under a new name did not leave a price
    assert value_that_left((SPUN,), {}) == {"AAPL": 0}


@pytest.mark.parametrize(
    ("adjustment", "close"),
    [("split,spin-off", 70), ("raw", 70), ("all", 100), ("split,dividend", 100)],
)
def test_todays_dividend_is_subtracted_unless_the_bars_are_adjusted_for_it(
    adjustment: str, close: int
) -> None:
    closes = prices(AAPL="100", IBM="50")

    assert less_dividends(closes, (PAID, SPUN), adjustment) == {"AAPL": close, "IBM": 50}


def test_a_close_stays_above_zero_whatever_actions_the_broker_lists() -> None:
    absurd = replace(PAID, cash=D(100))

    assert less_dividends(prices(AAPL="100"), (absurd,), "split") == {"AAPL": 100}
    assert less_dividends({}, (PAID,), "split") == {}
