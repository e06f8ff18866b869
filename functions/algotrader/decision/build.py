"""Owns the parts of a decision: the orders to send, to cancel, and to report as denied."""

from __future__ import annotations

from collections.abc import Container

from algotrader.model import Leg, OrderDenied, OrderIntent, OrderType, Run, Side, Snapshot
from algotrader.model.enums import TradingState
from algotrader.orders.ids import OrderPlace, client_order_id
from algotrader.orders.own_orders import is_protective, leg_of
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.proposed_order import ProposedOrder
from algotrader.risk.reasons import Denial


def order_intent(
    order: ProposedOrder, run: Run, order_type: OrderType, *, leg: Leg | None = None, why: str = ""
) -> OrderIntent:
    """Build the order to send.

    Parameters
    ----------
    order_type : OrderType
        The template's OrderType; a notional entry becomes a market order.
    leg : Leg or None
        None means the default for the side: an entry for a buy, an exit for a sell.
    """
    if leg is None:
        leg = Leg.ENTRY if order.side is Side.BUY else Leg.EXIT
    kind = OrderType.MARKET if order_type is OrderType.NOTIONAL else order_type
    return OrderIntent(
        client_order_id=client_order_id(
            OrderPlace(run.desk, run.session, run.slot, order.symbol, leg, 0)
        ),
        symbol=order.symbol,
        side=order.side,
        leg=leg,
        qty=order.qty,
        order_type=kind,
        limit_price=order.worst_price if kind is OrderType.LIMIT else None,
        reference_price=order.reference,
        why=why,
        notional=order.notional,
    )


def order_denied(order: ProposedOrder, denial: Denial) -> OrderDenied:
    """Build the decision's record of a denied order."""
    return OrderDenied(order.symbol, order.side, order.wanted.qty, denial.code, denial.detail)


def orders_to_cancel(
    snapshot: Snapshot, *, protected: Container[str] | None = None
) -> tuple[str, ...]:
    """Return the ids of the desk's open orders from earlier runs, which this run cancels.

    A halted desk cancels only its entries.

    Parameters
    ----------
    protected : container of str or None
        Symbols whose protective orders stay; None means all.
    """
    halted = snapshot.trading_state is TradingState.HALTED
    return tuple(
        sorted(
            order.client_order_id
            for order in snapshot.own_open_orders
            if not is_terminal(order)
            and not (is_protective(order) and (protected is None or order.symbol in protected))
            and not (halted and leg_of(order.client_order_id) is not Leg.ENTRY)
        )
    )
