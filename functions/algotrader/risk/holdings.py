"""Owns the limits that orders and holdings of the account set: what is open, owned, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from algotrader.model import Order, Side
from algotrader.model.units import tidy
from algotrader.orders.ids import desk_of
from algotrader.orders.own_orders import is_protective
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.position import DeskPosition
from algotrader.risk.reasons import Denial, Reason


def no_own_order_open(orders: Iterable[Order]) -> Denial | None:
    """Wait for the desk's own orders from before: until they end its holding is not settled."""
    told = _told(each for each in orders if not is_terminal(each) and not is_protective(each))
    return Denial(Reason.OPEN_ORDER_UNSETTLED, f"to be canceled first: {told}") if told else None


def no_opposite_order_open(orders: Iterable[Order], side: Side) -> Denial | None:
    """Keep from trading against an open order of the account: brokers refuse wash trades.

    Parameters
    ----------
    orders : iterable of Order
        The symbol's open orders that are left standing: the user's, and protective ones.
    """
    told = _told(
        (each for each in orders if not is_terminal(each) and each.side is not side), name=_whose
    )
    return Denial(Reason.OPPOSITE_ORDER_OPEN, told) if told else None


def no_replacement_open(orders: Iterable[Order]) -> Denial | None:
    """Keep from buying beside an order that somebody put in place of another one.

    That other one may have been the desk's: what it was to buy would be bought twice.

    Parameters
    ----------
    orders : iterable of Order
        The symbol's open orders that do not carry the desk's ids.
    """
    told = _told(each for each in orders if not is_terminal(each) and each.replaces is not None)
    return Denial(Reason.ORDER_REPLACED, f"open in place of another: {told}") if told else None


def ledger_matches(position: DeskPosition) -> Denial | None:
    """Ask that the account holds at least what the books of all its desks say."""
    if not position.differs:
        return None
    detail = (
        f"the desk's books say {tidy(position.book_qty):f}, "
        f"the account holds {tidy(position.account_qty):f}"
    )
    for desk, qty in sorted(position.others.items()):
        detail += f", desk {desk} owns {tidy(qty):f}"
    return Denial(
        Reason.LEDGER_MISMATCH,
        f"{detail}; probably {position.cause}" if position.cause else detail,
    )


def something_to_sell(qty: Decimal, position: DeskPosition) -> Denial | None:
    """Ask for shares of the desk's own that no open order keeps and that the broker sells."""
    return None if qty > 0 else part_sold(qty, position)


def part_sold(qty: Decimal, position: DeskPosition) -> Denial:
    """Say why no more than a part of a holding, or nothing of it, is sold."""
    return Denial(
        Reason.NOTHING_TO_SELL,
        f"holds {tidy(position.held):f}, of which open orders leave {tidy(position.sellable):f};"
        f" can be sold {tidy(qty):f}",
    )


def _id(order: Order) -> str:
    return order.client_order_id or order.broker_id


def _whose(order: Order) -> str:
    desk = desk_of(order.client_order_id)
    return _id(order) if desk is None else f"desk {desk}, {_id(order)}"


def _told(orders: Iterable[Order], name: Callable[[Order], str] = _id) -> str:
    return ", ".join(sorted(f"{each.side.value} {_amount(each)} ({name(each)})" for each in orders))


def _amount(order: Order) -> str:
    if order.notional is not None:
        return f"{order.notional:.2f} dollars"
    return "?" if order.qty is None else f"{tidy(order.qty):f}"
