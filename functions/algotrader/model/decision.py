"""Owns the values of a decision and its execution: orders wanted, denied, planned and sent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from msgspec import Struct, field

from algotrader.model.account import Account, Order
from algotrader.model.enums import Leg, OrderType, Side, TimeInForce
from algotrader.model.market import Unfit
from algotrader.model.units import Dollars, Price, Shares


class OrderIntent(Struct, frozen=True):
    """An order that a plan may send, with all its terms and its reason.

    Attributes
    ----------
    qty : Decimal
        Shares. For a notional order, the shares that it buys at its worst price; the broker does
        not get this number.
    reference_price : Decimal
        The latest price, from which the desk computed size and limit.
    notional : Decimal or None
        Dollars to buy for; None for an order by quantity.
    """

    client_order_id: str
    symbol: str
    side: Side
    leg: Leg
    qty: Shares
    order_type: OrderType
    limit_price: Price | None
    reference_price: Price
    why: str
    stop_price: Price | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    notional: Dollars | None = None


class DesiredStop(Struct, frozen=True):
    """The protective stop to place once every other order in the symbol has ended.

    Attributes
    ----------
    client_order_id : str
        The stop order's id.
    stop_price : Decimal
        Rounded to the tick; below ``reference_price``, the latest price.
    held : Decimal
        The desk's shares at the decision. Later fills change the stop's quantity.
    """

    client_order_id: str
    symbol: str
    stop_price: Price
    reference_price: Price
    held: Shares
    why: str


class OrderDenied(Struct, frozen=True):
    """An order that the desk denied: the reason code, and a detail with the numbers."""

    symbol: str
    side: Side
    qty: Shares
    code: str
    detail: str


class OrderRejected(Struct, frozen=True):
    """An order that the broker definitely rejected."""

    client_order_id: str
    symbol: str
    code: str
    detail: str


class Decision(Struct, frozen=True):
    """A run's orders and their reasons: a pure function of features, snapshot and settings.

    Attributes
    ----------
    target_weights : dict of str to Decimal
        The weights that the strategy returned, as fractions of desk capital.
    exits, entries : tuple of OrderIntent
        Approved orders. If exits bring too little cash, the run may reduce an entry to the
        available cash, but never raise it.
    cancels : tuple of str
        Client order ids of the desk's own open orders that the run cancels first.
    why : dict of str to str
        One sentence for every managed symbol, even if the run does nothing. The strategy's own
        explanation follows.
    stops : tuple of DesiredStop
        Protective stops to place, without those that are already right.
    filled_before : dict of str to Decimal
        By client order id, for each order in ``cancels``: shares filled before the decision.
    unprotected : dict of str to str
        By symbol: why a holding has no stop although the strategy asks for one.
    cut_to_cash : dict of str to Shares
        By symbol, for each entry by quantity that the desk cut for lack of money: the shares that
        the target weight requires.
    unfit : dict of str to Unfit
        Symbols and references whose data the run cannot use. It buys nothing in them and keeps
        their holdings.
    keeps_all : bool
        Whether the run keeps everything, because too few symbols are fit for the strategy.
    remarks : tuple of str
        Sentences about the whole decision: why it keeps everything, or scales the weights.
    room : Decimal or None
        The most that entries may cost under ``Capital`` and ``MaxGrossExposure`` if no exit sells;
        may be below 0. None if neither limits the desk more than its cash.
    note : str
        What the strategy says about the whole run; empty if it says nothing.
    """

    run_id: str
    strategy: str
    desk_capital: Dollars
    spendable: Dollars
    target_weights: dict[str, Decimal]
    exits: tuple[OrderIntent, ...]
    entries: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    denied: tuple[OrderDenied, ...]
    why: dict[str, str]
    stops: tuple[DesiredStop, ...] = ()
    filled_before: dict[str, Decimal] = field(default_factory=dict)
    unprotected: dict[str, str] = field(default_factory=dict)
    cut_to_cash: dict[str, Shares] = field(default_factory=dict)
    unfit: dict[str, Unfit] = field(default_factory=dict)
    keeps_all: bool = False
    remarks: tuple[str, ...] = ()
    room: Dollars | None = None
    note: str = ""


class Cutoff(Struct, frozen=True):
    """The instant from which the run sends no more orders, and the reason."""

    at: datetime
    code: str
    detail: str


class Plan(Struct, frozen=True):
    """The orders that the next call to Submit Orders may send; Step Functions stores them first.

    Attributes
    ----------
    sequence : int
        0 for the plan of Decide Orders. Each change of its orders' terms adds one. The journal
        keeps one plan per number, so that parallel or later calls agree.
    polls : int
        Consecutive calls that changed no terms; the back-off depends on this count.
    waited_seconds : int
        Total wait so far. It ends a run even if the broker's clock stands still.
    orders : tuple of OrderIntent
        Every order of this run that may be at the broker, and the orders to send next.
    cancels : tuple of str
        Client order ids of orders that the run cancels before it sends any order.
    denied, rejected : tuples
        Orders that the run denied, or that the broker rejected, since the decision.
    exits_closed, entries_closed, stops_closed : Cutoff or None
        Set once the run sends no more orders of that leg.
    unprotected : dict of str to str
        By symbol: why the run could not place its stop.
    gave_up_after : int or None
        ``waited_seconds`` when the run gave up on orders that it never saw; None if it has not.
    unsent : tuple of str
        Client order ids of orders that the previous call certainly did not send, so that the next
        call sends them. Only Step Functions' state has them; the journal does not.
    """

    run_id: str
    sequence: int
    polls: int
    waited_seconds: int
    orders: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    denied: tuple[OrderDenied, ...]
    rejected: tuple[OrderRejected, ...]
    exits_closed: Cutoff | None
    entries_closed: Cutoff | None
    stops_closed: Cutoff | None = None
    unprotected: dict[str, str] = field(default_factory=dict)
    gave_up_after: int | None = None
    unsent: tuple[str, ...] = ()


class Submission(Struct, frozen=True):
    """The state of the run's orders after a call to Submit Orders."""

    orders: tuple[Order, ...]
    denied: tuple[OrderDenied, ...]
    rejected: tuple[OrderRejected, ...]
    unsettled: tuple[str, ...]  # client order ids of orders that had not ended
    account: Account | None  # as of the last call that read it
    unprotected: dict[str, str] = field(default_factory=dict)  # as in `Plan`, up to this call
