"""Owns the checks on the account's open orders and the desk's holdings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from algotrader.model import Order, Side
from algotrader.model.units import Shares, tidy
from algotrader.orders.ids import desk_of
from algotrader.orders.own_orders import is_protective
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.position import DeskPosition
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.context import RiskContext
from algotrader.risk.reasons import Denial, Reason


def no_own_order_open(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an order while the desk's earlier orders in the symbol can still fill."""
    own = context.own_orders(order.symbol)
    shown = _shown(each for each in own if not is_terminal(each) and not is_protective(each))
    return Denial(Reason.OPEN_ORDER_UNSETTLED, f"the run cancels first: {shown}") if shown else None


def no_opposite_order_open(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny a trade against one of the account's open orders, because brokers refuse wash trades.

    If a buy is open, the check also denies an entry with a protective stop, because the stop sells.
    """
    foreign = context.foreign_orders(order.symbol)
    denial = opposite_order_open(foreign, order.side)
    if denial is not None or order.stop is None:
        return denial
    return opposite_order_open(foreign, Side.SELL)


def opposite_order_open(orders: Iterable[Order], side: Side) -> Denial | None:
    """Return a denial if an order is open on the other side.

    Parameters
    ----------
    orders : iterable of Order
        The symbol's open orders that the run does not cancel: the user's and protective ones.
    """
    shown = _shown(
        (each for each in orders if not is_terminal(each) and each.side is not side), name=_whose
    )
    return Denial(Reason.OPPOSITE_ORDER_OPEN, shown) if shown else None


def no_replacement_open(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry while an order that replaced another one is open.

    The replaced order may have been the desk's, and the run would then buy the shares twice.
    """
    shown = _shown(
        each
        for each in context.foreign_orders(order.symbol)
        if not is_terminal(each) and each.replaces is not None
    )
    return Denial(Reason.ORDER_REPLACED, f"replaced another order: {shown}") if shown else None


def ledger_matches(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an entry or an empty exit while the account has fewer shares than the books."""
    del context
    if order.side is Side.SELL and order.qty > 0:
        return None
    return ledger_mismatch(order.position)


def ledger_mismatch(position: DeskPosition) -> Denial | None:
    """Return a denial if the account has fewer shares than the books of all its desks show."""
    if not position.differs:
        return None
    detail = (
        f"the desk's books say {tidy(position.book_qty):f}, "
        f"the account holds {tidy(position.account_qty):f}"
    )
    for desk, qty in sorted(position.others.items()):
        detail += f", desk {desk} owns {tidy(qty):f}"
    return Denial(
        Reason.LEDGER_MISMATCH, f"{detail}; probably {position.cause}" if position.cause else detail
    )


def something_to_sell(order: ProposedOrder, context: RiskContext) -> Denial | None:
    """Deny an exit if open orders reserve all of the desk's own shares."""
    del context
    return None if order.qty > 0 else part_sold(order.position, qty=order.qty)


def part_sold(position: DeskPosition, *, qty: Shares) -> Denial:
    """Build the denial for the part of a holding that the desk cannot sell."""
    return Denial(
        Reason.NOTHING_TO_SELL,
        f"holds {tidy(position.held):f}, of which open orders leave {tidy(position.sellable):f} "
        f"free; {tidy(qty):f} can be sold",
    )


def _id(order: Order) -> str:
    return order.client_order_id or order.broker_id


def _whose(order: Order) -> str:
    desk = desk_of(order.client_order_id)
    return _id(order) if desk is None else f"desk {desk}, {_id(order)}"


def _shown(orders: Iterable[Order], name: Callable[[Order], str] = _id) -> str:
    return ", ".join(sorted(f"{each.side.value} {_amount(each)} ({name(each)})" for each in orders))


def _amount(order: Order) -> str:
    if order.notional is not None:
        return f"{order.notional:.2f} dollars"
    return "?" if order.qty is None else f"{tidy(order.qty):f}"
