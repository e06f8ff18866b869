"""The desk's position never exceeds its books, or the account's shares less other desks' shares."""

from __future__ import annotations

from decimal import Decimal

import pytest

from algotrader.model import Holding
from algotrader.portfolio.position import DeskPosition, desk_position
from tests.support.desk_world import position

D = Decimal


@pytest.mark.parametrize(
    ("ledger", "broker", "available", "held", "tradable", "differs"),
    [
        ("10", "10", "10", "10", "10", False),
        ("10", "25", "25", "10", "10", False),  # includes the user's own shares
        ("10", "25", "4", "10", "4", False),  # an open sell keeps most of them
        ("10", "9", "9", "9", "9", True),
        ("10", "7", "7", "7", "7", True),
        ("10", "0", "0", "0", "0", True),
        ("10", "-5", "-5", "0", "0", True),
        ("0", "-5", "-5", "0", "0", True),
        ("-3", "10", "10", "0", "0", True),
        ("-1", "10", "10", "0", "0", True),
        ("1", "0", "0", "0", "0", True),
        ("10", "10", "-2", "10", "0", False),
        ("NaN", "10", "10", "0", "0", False),
        ("10", "NaN", "10", "0", "0", True),
    ],
)
def test_a_position_is_the_smaller_of_books_and_account_and_never_below_zero(
    ledger: str, broker: str, available: str, held: str, tradable: str, *, differs: bool
) -> None:
    seen = desk_position(
        "IBM",
        {"IBM": Holding(qty=D(ledger), cost=D(1))},
        {"IBM": position("IBM", broker, available)},
    )
    assert (seen.held, seen.sellable, seen.differs) == (D(held), D(tradable), differs)


@pytest.mark.parametrize(
    ("ledger", "broker", "others", "held", "differs"),
    [
        ("10", "20", {"def456": "10"}, "10", False),
        ("10", "19", {"def456": "10"}, "9", True),
        ("10", "15", {"def456": "10"}, "5", True),  # nobody knows whose shares have gone
        ("10", "8", {"def456": "10"}, "0", True),
        ("10", "25", {"def456": "10", "aaaaaa": "5"}, "10", False),
        ("10", "24", {"def456": "10", "aaaaaa": "5"}, "9", True),
        ("0", "5", {"def456": "10"}, "0", True),
        ("10", "10", {"def456": "-5"}, "10", False),  # a short position takes nothing
        ("10", "10", {"def456": "NaN"}, "10", False),
    ],
)
def test_a_position_never_includes_shares_of_other_desks(
    ledger: str, broker: str, others: dict[str, str], held: str, *, differs: bool
) -> None:
    seen = desk_position(
        "IBM",
        {"IBM": Holding(qty=D(ledger), cost=D(1))},
        {"IBM": position("IBM", broker)},
        {desk: D(qty) for desk, qty in others.items()},
    )
    assert (seen.held, seen.sellable, seen.differs) == (D(held), D(held), differs)


def test_a_symbol_that_nobody_holds_has_an_empty_position() -> None:
    assert desk_position("IBM", {}, {}) == DeskPosition("IBM", D(0), D(0), D(0), D(0))


def test_a_position_names_the_desks_that_own_shares() -> None:
    others = {"aaaaaa": D(1), "bbbbbb": D("0.5"), "cccccc": D(0), "dddddd": D(-1)}
    seen = desk_position("IBM", {}, {"IBM": position("IBM", "10")}, others)
    assert seen.others == {"aaaaaa": D(1), "bbbbbb": D("0.5")}
    assert seen.theirs == D("1.5")
