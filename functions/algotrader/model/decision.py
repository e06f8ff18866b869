"""Owns what a run wants, may send and has sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from algotrader.model.account import Account, Order
from algotrader.model.enums import Leg, OrderType, Side, Stage, TimeInForce


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order that a plan may send: every term that the broker will be given, and why.

    Attributes
    ----------
    qty : Decimal
        Shares; of an order by value those that it buys at its worst price, which are not sent.
    reference_price : Decimal
        The latest price, which sized and priced it.
    notional : Decimal or None
        Dollars to buy for, in place of a quantity.
    """

    client_order_id: str
    symbol: str
    side: Side
    leg: Leg
    qty: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    reference_price: Decimal
    why: str
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    notional: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DesiredStop:
    """The protective stop that a symbol is to have once all that is sent in it has ended.

    Attributes
    ----------
    client_order_id : str
        Of the stop order.
    stop_price : Decimal
        On the tick, below ``reference_price``, the latest price.
    held : Decimal
        The desk's shares at the decision; what fills since then changes the stop's quantity.
    """

    client_order_id: str
    symbol: str
    stop_price: Decimal
    reference_price: Decimal
    held: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class OrderDenied:
    """Our own refusal of an order: a reason code and a detail that carries its numbers."""

    symbol: str
    side: Side
    qty: Decimal
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The broker's definite refusal of an order that we sent."""

    client_order_id: str
    symbol: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the desk wants of this run, and why; a pure function of features, snapshot, settings.

    Attributes
    ----------
    target_weights : dict of str to Decimal
        The strategy's answer, as fractions of desk capital.
    exits, entries : tuple of OrderIntent
        Approved orders. Entries are the most that may be bought: after the exits are terminal
        they may be cut to the cash then there, never raised.
    cancels : tuple of str
        Client order ids of the desk's own open orders to be canceled first.
    denied : tuple of OrderDenied
        Orders that the desk refused itself.
    why : dict of str to str
        One sentence for every managed symbol, also for those where nothing is done.
    stops : tuple of DesiredStop
        Protective stops to place; one that stands as it should is left alone.
    filled_before : dict of str to Decimal
        Of each order in ``cancels``: what of it had filled already.
    unprotected : dict of str to str
        Symbols whose holding has no stop though the strategy asks for one, and why.
    """

    run_id: str
    strategy: str
    desk_capital: Decimal
    spendable: Decimal
    target_weights: dict[str, Decimal]
    exits: tuple[OrderIntent, ...]
    entries: tuple[OrderIntent, ...]
    cancels: tuple[str, ...]
    denied: tuple[OrderDenied, ...]
    why: dict[str, str]
    stops: tuple[DesiredStop, ...] = ()
    filled_before: dict[str, Decimal] = field(default_factory=dict)
    unprotected: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cutoff:
    """From ``at`` on nothing is posted, for the reason that the code names."""

    at: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next call of Submit Orders may send; Step Functions writes it down before that.

    Attributes
    ----------
    sequence : int
        0 for the plan that Decide Orders made, then one more each time the terms of its orders
        change; the journal keeps one plan a number, so that parallel or later calls agree.
    polls : int
        Calls in a row that changed no terms; sets the back-off.
    waited_seconds : int
        Seconds of waiting that the run was told so far: it ends even if the broker's clock stands.
    orders : tuple of OrderIntent
        Every order of this run that may stand at the broker by now, and those to send next.
    cancels : tuple of str
        Client order ids of the desk's orders to cancel before anything is sent.
    denied, rejected : tuples
        What this run has refused, or the broker has, since the decision.
    exits_closed, entries_closed, stops_closed : Cutoff or None
        Set once posting has ended for that leg.
    unprotected : dict of str to str
        Symbols whose stop could not be placed, and why.
    gave_up_after : int or None
        ``waited_seconds`` when it gave orders up that it had not seen; None while it has not.
    """

    run_id: str
    sequence: int
    stage: Stage
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


@dataclass(frozen=True, slots=True)
class Submission:
    """The state of the run's orders after a call of Submit Orders."""

    orders: tuple[Order, ...]
    denied: tuple[OrderDenied, ...]
    rejected: tuple[OrderRejected, ...]
    unsettled: tuple[str, ...]  # client order ids whose end the run did not see
    account: Account | None  # as of the last call that asked for it
    unprotected: dict[str, str] = field(default_factory=dict)  # as in `Plan`, up to this call
