"""Owns a desk that is owed something: Monday's ex-date, and the observations after it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from algotrader.accounting.performance import Observation, advance_track, profit_by_symbol
from algotrader.accounting.receivables import (
    Listing,
)
from algotrader.model import (
    CorporateAction,
    NewShares,
    Track,
)
from tests.support.performance_looks import (
    BELL,
    FRIDAY,
    MONDAY,
    TUESDAY,
    look,
    next_day,
    prices,
)

D = Decimal
PAYABLE = MONDAY + timedelta(days=14)
#: 2 dollars a share on 10 shares; the ex-date is Monday.
PAID = CorporateAction("AAPL", "cash_dividend", MONDAY, None, cash=D(2), payable=PAYABLE)
#: Half a SPUN for each share, so 5 shares; the ex-date is Monday.
SPUN = CorporateAction(
    "AAPL", "spin_off", MONDAY, None, ("SPUN",), shares=(NewShares("SPUN", D("0.5")),)
)


def listing(*actions: CorporateAction, since: date = FRIDAY, qty: str = "10") -> Listing:
    return Listing(actions, since, {(each.symbol, each.ex_date): D(qty) for each in actions})


def ex(*actions: CorporateAction, **changes: Any) -> Observation:
    """Return Monday's observation: AAPL fell from 100 to 98."""
    plain: dict[str, Any] = {
        "prices": prices(AAPL="98"),
        "actions": actions,
        "listing": listing(*actions),
        "left": prices(AAPL="2"),
    }
    return look(**{**plain, **changes})


def later(*actions: CorporateAction, day: date = TUESDAY, **changes: Any) -> Observation:
    """Return a later observation, with AAPL at 98 at the previous close and now."""
    plain: dict[str, Any] = {
        "session": day,
        "previous_session": day - timedelta(days=1),
        "at": BELL + (day - MONDAY),
        "closes": prices(AAPL="98"),
        "listing": listing(*actions, qty="0"),
    }
    return next_day("98", **{**plain, **changes})


def carried(*looks: Observation) -> Track:
    track = None
    for each in looks:
        track = advance_track(track, each)
    assert track is not None
    return track


def made(track: Track) -> Decimal:
    return sum((each.profit for each in profit_by_symbol(track)), D(0))
