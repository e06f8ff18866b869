"""Owns the reconciliation of account and books: other desks' shares, missing shares, and causes.

Nothing here changes a ledger. The e-mail reports differences, and a person corrects the books with
``algo-trader adopt`` and ``release``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from algotrader.accounting.ledger import empty_ledger
from algotrader.model import (
    Activity,
    ActivityKind,
    Adjustment,
    CorporateAction,
    Ledger,
    Order,
    Position,
    Side,
)
from algotrader.model.units import ONE_SHARE, ZERO, tidy
from algotrader.orders.ids import desk_of
from algotrader.portfolio.position import NO_OTHERS, DeskPosition, desk_position
from algotrader.risk.holdings import ledger_mismatch
from algotrader.risk.reasons import Reason

#: Kinds of activity that move shares without an order.
MOVE_KINDS = frozenset({ActivityKind.SHARE_FLOW, ActivityKind.SHARE_CHANGE})


def other_ledgers(
    desk: str,
    known: Mapping[str, Ledger],
    orders: Iterable[Order],
    adjustments: Iterable[Adjustment],
) -> dict[str, Ledger]:
    """Return every other desk's checkpoint, or an empty ledger for a desk without a checkpoint.

    Parameters
    ----------
    known : Mapping of str to Ledger
        Checkpoints by desk.
    """
    desks = {*known, *(each.desk for each in adjustments)}
    desks |= {each for order in orders if (each := desk_of(order.client_order_id)) is not None}
    return {each: known.get(each) or empty_ledger(each) for each in sorted(desks - {desk})}


def shares_of_others(
    others: Iterable[Ledger], symbols: Iterable[str]
) -> dict[str, dict[str, Decimal]]:
    """Return the shares of other desks, by symbol and desk; only quantities above 0."""
    found: dict[str, dict[str, Decimal]] = {}
    wanted = set(symbols)
    for ledger in others:
        for symbol, holding in ledger.holdings.items():
            if symbol in wanted and holding.qty > 0:
                found.setdefault(symbol, {})[ledger.desk] = holding.qty
    return found


def missing_shares(
    symbols: Iterable[str],
    ledger: Ledger,
    positions: Mapping[str, Position],
    others: Mapping[str, Mapping[str, Decimal]],
    causes: Mapping[str, str] | None = None,
) -> tuple[DeskPosition, ...]:
    """Return the positions that the account does not fully cover, in alphabetical order.

    Parameters
    ----------
    causes : Mapping of str to str or None
        As `probable_causes` returns them.
    """
    known = causes or {}
    ours = (
        desk_position(
            each, ledger.holdings, positions, others.get(each, NO_OTHERS), known.get(each, "")
        )
        for each in sorted(set(symbols))
    )
    return tuple(each for each in ours if each.differs)


def probable_causes(
    positions: Iterable[DeskPosition],
    orders: Iterable[Order],
    actions: Sequence[CorporateAction],
    moves: Sequence[Activity],
) -> dict[str, str]:
    """Return possible causes of a difference, by symbol; a symbol without a known cause is absent.

    Parameters
    ----------
    orders : iterable of Order
        The account's recent orders, including manual ones.
    """
    by_hand = [
        each
        for each in orders
        if desk_of(each.client_order_id) is None and each.side is Side.SELL and each.filled_qty > 0
    ]
    found = {}
    for position in positions:
        symbol = position.symbol
        causes = [
            (
                (each.filled_at or each.submitted_at).date(),
                f"a sale by hand of {_n(each.filled_qty)}",
            )
            for each in by_hand
            if each.symbol == symbol
        ]
        causes += [
            (each.ex_date, words)
            for each in actions
            if each.symbol == symbol and (words := _explanation(each, position))
        ]
        causes += [
            (each.day, f"{each.description} of {_n(each.qty or ZERO)}")
            for each in moves
            if each.symbol == symbol
        ]
        newest = sorted(causes)[-4:]
        if newest:
            found[symbol] = " or ".join(f"{words} on {day.isoformat()}" for day, words in newest)
    return found


def describe_differences(positions: Iterable[DeskPosition], stack: str) -> tuple[str, ...]:
    """Describe each difference with its numbers and its remedy."""
    return tuple(
        f"{each.symbol}: {Reason.LEDGER_MISMATCH}: {denial.detail}. The desk buys no {each.symbol}"
        f" until the account and the books agree. {_remedy(each, f' --stack {stack}')}"
        for each in positions
        if (denial := ledger_mismatch(each)) is not None
    )


def describe_share_changes(
    actions: Iterable[CorporateAction], ledger: Ledger, stack: str
) -> tuple[str, ...]:
    """Describe the corporate actions that turn the desk's shares into other shares or cash.

    Parameters
    ----------
    actions : iterable of CorporateAction
        The actions since the last session.
    """
    return tuple(
        f"{each.symbol}: {each.description}{_with(each)}. The desk's books still show"
        f" {_n(ledger.holdings[each.symbol].qty)} {each.symbol}. New shares count as yours until"
        f" you run `algo-trader adopt SYMBOL QTY --stack {stack}`. Remove lost shares with"
        f" `algo-trader release {each.symbol} QTY --stack {stack}`."
        for each in actions
        if each.symbol in ledger.holdings and _changes_symbol(each)
    )


def _changes_symbol(action: CorporateAction) -> bool:
    return action.ratio is None and not action.is_cash_dividend


def _explanation(action: CorporateAction, position: DeskPosition) -> str:
    """Describe how an action may explain missing shares, or return an empty string."""
    if _changes_symbol(action):
        return f"a {_kind(action)}{_with(action)}"
    missing = position.book_qty + position.theirs - position.account_qty
    if action.ratio is not None and ZERO < missing < ONE_SHARE:
        return f"a fraction paid in cash after the {_kind(action)}"
    return ""


def _remedy(position: DeskPosition, stack: str) -> str:
    symbol = position.symbol
    if position.book_qty < 0:
        return (
            "The desk has sold more than it bought. Correct its books with `algo-trader adopt"
            f" {symbol} {_n(-position.book_qty)}{stack}`."
        )
    if position.account_qty < 0:
        return "Close the account's short position, because the desk never sells short."
    missing = position.book_qty + position.theirs - position.account_qty
    ways = []
    if position.book_qty > 0:
        ways.append(f"algo-trader release {symbol} {_n(min(missing, position.book_qty))}{stack}")
    ways += [
        f"algo-trader release {symbol} {_n(min(missing, qty))} --desk {desk}{stack}"
        for desk, qty in sorted(position.others.items())
    ]
    commands = " or ".join(f"`{each}`" for each in ways)
    return f"Buy {_n(missing)} back, or remove the missing shares from the books: {commands}."


def _kind(action: CorporateAction) -> str:
    return action.kind.replace("_", " ")


def _with(action: CorporateAction) -> str:
    return f" with {', '.join(action.others)}" if action.others else ""


def _n(value: Decimal) -> str:
    return f"{tidy(value):f}"
