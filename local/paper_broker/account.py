"""Owns the account's books: cash, positions and the statement that explains every change of them.

Each change of cash is an `Activity`, so cash is always the opening cash plus the sum of their nets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from local.paper_broker.data import Dividend, Split
from local.paper_broker.values import CENT, ZERO, Activity, ActivityKind, Order

CASH_MOVES = (ActivityKind.DEPOSIT, ActivityKind.WITHDRAWAL)


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares held (negative if short) and their total cost; a short's cost is negative."""

    qty: Decimal
    cost: Decimal

    @property
    def average(self) -> Decimal:
        """Average dollars paid per share."""
        return self.cost / self.qty


class Account:
    """Cash and positions, changed only by fills, corporate actions, deposits and withdrawals.

    Parameters
    ----------
    cash : Decimal
        Dollars to begin with.
    holdings : dict of str to Holding
        Positions to begin with.
    new_id : callable
        Gives the next id of a kind of thing.
    """

    def __init__(
        self, cash: Decimal, holdings: dict[str, Holding], new_id: Callable[[str], str]
    ) -> None:
        self.cash = cash
        self.holdings = dict(holdings)
        self.activities: list[Activity] = []
        self.closes: dict[date, Decimal] = {}  # equity at each session's close
        self._new_id = new_id

    def qty(self, symbol: str) -> Decimal:
        """Return the shares held in a symbol; 0 if none."""
        holding = self.holdings.get(symbol)
        return holding.qty if holding else ZERO

    def fill(self, order: Order, qty: Decimal, price: Decimal, at: datetime) -> None:
        """Book a fill, including on the order; the caller sets the order's status."""
        signed = qty if order.is_buy else -qty
        net = -(signed * price)
        self._trade(order.ticket.symbol, signed, price)
        order.filled_qty += qty
        order.filled_value += qty * price
        order.filled_at = order.updated_at = at
        self._book(
            ActivityKind.FILL,
            at,
            net,
            symbol=order.ticket.symbol,
            qty=qty,
            price=price,
            order_id=order.id,
            side=order.ticket.side,
            cumulative=order.filled_qty,
            leaves=order.remaining,
        )

    def split(self, split: Split, at: datetime) -> None:
        """Multiply the shares held; their total cost stays."""
        holding = self.holdings.get(split.symbol)
        if holding is None:
            return
        qty = holding.qty * split.new_rate / split.old_rate
        self.holdings[split.symbol] = Holding(qty, holding.cost)
        self._book(ActivityKind.SPLIT, at, ZERO, symbol=split.symbol, qty=qty - holding.qty)

    def pay(self, dividend: Dividend, at: datetime) -> None:
        """Pay a dividend on the shares held at the previous close; a short position owes it."""
        qty = self.qty(dividend.symbol)
        if not qty:
            return
        net = (qty * dividend.amount).quantize(CENT, ROUND_HALF_UP)
        self._book(
            ActivityKind.DIVIDEND, at, net, symbol=dividend.symbol, qty=qty, price=dividend.amount
        )

    def deposit(self, amount: Decimal, at: datetime) -> Activity:
        """Deposit cash, or withdraw it if negative."""
        return self._book(
            ActivityKind.DEPOSIT if amount >= 0 else ActivityKind.WITHDRAWAL, at, amount
        )

    @property
    def has_moved_cash(self) -> bool:
        """Whether any deposit or withdrawal was made."""
        return any(activity.kind in CASH_MOVES for activity in self.activities)

    def deposits(self, after: datetime, until: datetime) -> Decimal:
        """Sum the deposits less the withdrawals with ``after < at <= until``."""
        moves = (a for a in self.activities if a.kind in CASH_MOVES)
        return sum((a.net for a in moves if after < a.at <= until), ZERO)

    def _trade(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        held = self.holdings.get(symbol, Holding(ZERO, ZERO))
        qty = held.qty + signed
        if not qty:
            del self.holdings[symbol]
        elif held.qty * signed >= 0:
            self.holdings[symbol] = Holding(qty, held.cost + signed * price)
        elif abs(signed) > abs(held.qty):
            self.holdings[symbol] = Holding(qty, qty * price)
        else:  # the remaining shares keep their average
            self.holdings[symbol] = Holding(qty, held.cost * qty / held.qty)

    def _book(  # noqa: PLR0913  # an activity has these fields
        self,
        kind: ActivityKind,
        at: datetime,
        net: Decimal,
        *,
        symbol: str | None = None,
        qty: Decimal | None = None,
        price: Decimal | None = None,
        order_id: str | None = None,
        side: str | None = None,
        cumulative: Decimal | None = None,
        leaves: Decimal | None = None,
    ) -> Activity:
        self.cash += net
        number = self._new_id("activity")
        activity = Activity(
            id=f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{number}",
            kind=kind,
            at=at,
            net=net,
            symbol=symbol,
            qty=qty,
            price=price,
            order_id=order_id,
            side=side,
            cumulative=cumulative,
            leaves=leaves,
        )
        self.activities.append(activity)
        return activity
