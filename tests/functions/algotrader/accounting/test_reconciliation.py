"""Reconciliation reports missing shares with numbers and possible causes, and never guesses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from algotrader.accounting.reconciliation import (
    describe_differences,
    describe_share_changes,
    missing_shares,
    other_ledgers,
    probable_causes,
    shares_of_others,
)
from algotrader.model import (
    Activity,
    ActivityKind,
    Adjustment,
    CorporateAction,
    Holding,
    Ledger,
    Order,
    Side,
)
from algotrader.portfolio.position import DeskPosition
from tests.support.desk_world import DESK, NOW, ledger, open_order, position

D = Decimal
DAY = date(2024, 3, 1)
OTHER = "def456"


def moved(symbol: str, description: str, qty: D, on: date) -> Activity:
    return Activity("id", ActivityKind.SHARE_FLOW, description, symbol, qty, D(0), on, None)


def books(desk: str, **quantities: str) -> Ledger:
    return replace(ledger(**quantities), desk=desk)


def stake(own: str, broker: str, **others: str) -> DeskPosition:
    positions = {"IBM": position("IBM", broker)}
    found = missing_shares(
        ["IBM"],
        ledger(IBM=own),
        positions,
        {"IBM": {desk: D(qty) for desk, qty in others.items()}},
    )
    return found[0]


def sale(order_id: str, qty: str = "5", side: Side = Side.SELL, symbol: str = "IBM") -> Order:
    return open_order(
        symbol, side, qty, None, order_id, status="filled", filled_qty=D(qty), filled_at=NOW
    )


def test_other_desks_are_found_by_orders_checkpoints_and_adjustments() -> None:
    given = Adjustment("1", "aaaaaa", "IBM", D(5), D(1), NOW, "")
    known = {"bbbbbb": books("bbbbbb", IBM="3")}
    orders = [sale(f"at1-{OTHER}-x"), sale(f"at1-{DESK}-x"), sale("by-hand"), sale("at1-nobody-x")]
    found = other_ledgers(DESK, known, orders, [given])
    assert list(found) == ["aaaaaa", "bbbbbb", OTHER]
    assert found["bbbbbb"] is known["bbbbbb"]
    assert found[OTHER] == Ledger(OTHER, None, {})


def test_shares_of_other_desks_are_reported_only_for_managed_symbols_and_never_below_zero() -> None:
    others = [
        books(OTHER, IBM="5", XOM="7"),
        books("bbbbbb", IBM="-2", AAPL="1"),
        books("cccccc", IBM="0"),
    ]
    assert shares_of_others(others, ["IBM", "AAPL"]) == {
        "IBM": {OTHER: D(5)},
        "AAPL": {"bbbbbb": D(1)},
    }


def test_only_missing_shares_are_a_difference() -> None:
    own = ledger(IBM="10", AAPL="10", GOOG="10", MSFT="-1")
    positions = {name: position(name, qty) for name, qty in (("IBM", "30"), ("AAPL", "12"))}
    found = missing_shares(own.holdings, own, positions, {"AAPL": {OTHER: D(3)}})
    assert [each.symbol for each in found] == ["AAPL", "GOOG", "MSFT"]


@pytest.mark.parametrize(
    ("orders", "actions", "moves", "message"),
    [
        ([sale("by-hand")], [], [], "a sale by hand of 5 on 2024-03-04"),
        ([sale("by-hand", "1")], [], [], "a sale by hand of 1 on 2024-03-04"),
        ([sale("by-hand", "0")], [], [], None),
        ([sale(f"at1-{OTHER}-x")], [], [], None),
        ([sale("by-hand", side=Side.BUY), sale("by-hand", symbol="AAPL")], [], [], None),
        (
            [],
            [CorporateAction("IBM", "name_change", DAY, None, ("KD",))],
            [],
            "a name change with KD on 2024-03-01",
        ),
        ([], [CorporateAction("IBM", "cash_merger", DAY, None)], [], "a cash merger on 2024-03-01"),
        ([], [CorporateAction("IBM", "cash_dividend", DAY, None)], [], None),
        ([], [CorporateAction("AAPL", "cash_merger", DAY, None)], [], None),
        ([], [CorporateAction("MSFT", "cash_merger", DAY, None)], [], None),
        ([], [], [moved("MSFT", "ACATS", D(-5), DAY)], None),
        ([sale("by-hand", symbol="MSFT")], [], [], None),
        ([], [CorporateAction("IBM", "forward_split", DAY, D(2))], [], None),
        (
            [],
            [],
            [
                moved("IBM", "ACATS", D(-5), DAY),
                moved("AAPL", "ACATS", D(-5), DAY),
            ],
            "ACATS of -5 on 2024-03-01",
        ),
        (
            [sale("by-hand")],
            [CorporateAction("IBM", "stock_merger", DAY, None, ("KD",))],
            [],
            "a stock merger with KD on 2024-03-01 or a sale by hand of 5 on 2024-03-04",
        ),
    ],
)
def test_possible_causes_of_a_difference_are_named_with_their_days(
    orders: list[Order], actions: list[CorporateAction], moves: list[Activity], message: str | None
) -> None:
    causes = probable_causes([stake("10", "5")], orders, actions, moves)
    assert causes == ({} if message is None else {"IBM": message})


def test_a_fraction_that_a_reverse_split_leaves_was_probably_paid_in_cash() -> None:
    split = CorporateAction("IBM", "reverse_split", DAY, D(1) / 3)
    (fraction,) = probable_causes([stake("3.333333333", "3")], [], [split], []).values()
    assert fraction == "a fraction paid in cash after the reverse split on 2024-03-01"
    beside = stake("3.333333333", "13", def456="10")
    assert probable_causes([beside], [], [split], []) == {"IBM": fraction}
    for more in ("4", "4.333333333"):
        assert probable_causes([stake(more, "3")], [], [split], []) == {}


def test_of_many_causes_only_the_newest_are_named() -> None:
    moves = [moved("IBM", "journal (JNLS)", D(-1), DAY - timedelta(days=n)) for n in range(9)]
    (message,) = probable_causes([stake("10", "1")], [], [], moves).values()
    assert message.count(" or ") == 3
    assert "2024-03-01" in message


@pytest.mark.parametrize(
    ("found", "remedies"),
    [
        (stake("10", "5"), ["Buy 5 back", "`algo-trader release IBM 5 --stack desk`"]),
        (stake("10", "9"), ["Buy 1 back", "`algo-trader release IBM 1 --stack desk`"]),
        (stake("1", "0"), ["Buy 1 back", "`algo-trader release IBM 1 --stack desk`"]),
        (stake("-1", "0"), ["`algo-trader adopt IBM 1 --stack desk`"]),
        (stake("10", "0"), ["Buy 10 back", "`algo-trader release IBM 10 --stack desk`"]),
        (stake("10", "-3"), ["Close the account's short position"]),
        (stake("10", "-1"), ["Close the account's short position"]),
        (stake("-3", "0"), ["`algo-trader adopt IBM 3 --stack desk`"]),
        (
            stake("10", "15", def456="10"),
            [
                "Buy 5 back",
                "`algo-trader release IBM 5 --stack desk`",
                "`algo-trader release IBM 5 --desk def456 --stack desk`",
            ],
        ),
        (stake("0", "5", def456="9"), ["`algo-trader release IBM 4 --desk def456 --stack desk`"]),
    ],
)
def test_a_difference_is_reported_with_both_numbers_and_the_way_to_fix_it(
    found: DeskPosition, remedies: list[str]
) -> None:
    (message,) = describe_differences([found], "desk")
    assert message.startswith(
        f"IBM: LEDGER_MISMATCH: the desk's books say {found.book_qty}, the account holds"
        f" {found.account_qty}"
    )
    for remedy in remedies:
        assert remedy in message
    assert ("release" in message) is ("release" in "".join(remedies))


def test_a_change_of_symbol_is_reported_and_the_books_stay_as_they_are() -> None:
    own = Ledger(DESK, None, {"FB": Holding(D("10.0"), D(1))})
    actions = [
        CorporateAction("FB", "name_change", DAY, None, ("META",)),
        CorporateAction("FB", "cash_dividend", DAY, None),
        CorporateAction("FB", "forward_split", DAY, D(2)),
        CorporateAction("IBM", "spin_off", DAY, None, ("KD",)),
    ]
    (message,) = describe_share_changes(actions, own, "desk")
    assert message.startswith("FB: name change on 2024-03-01 with META.")
    assert "10 FB" in message
    assert "`algo-trader adopt SYMBOL QTY --stack desk`" in message


def test_a_desk_without_shares_in_its_books_is_not_asked_to_release_any() -> None:
    (message,) = describe_differences([stake("0", "5", def456="9")], "desk")
    assert message.endswith(
        "Buy 4 back, or remove the missing shares from the books:"
        " `algo-trader release IBM 4 --desk def456 --stack desk`."
    )


def test_a_fraction_paid_in_cash_explains_nothing_if_no_share_is_missing() -> None:
    split = CorporateAction("IBM", "reverse_split", DAY, D(1) / 3)
    for broker in ("-3", "10"):
        assert probable_causes([stake("-3", broker)], [], [split], []) == {}
