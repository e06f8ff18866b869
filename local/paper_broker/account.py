"""Owns the account's cash, its positions, and the statement that explains every change of both.

Each change of cash is an `Activity`, so the cash always equals the opening cash plus the sum of
all ``net`` amounts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from local.paper_broker.data import Dividend, Split
from local.paper_broker.values import CENT, ZERO, Activity, ActivityKind, Order

CASH_MOVES = (
    ActivityKind.DEPOSIT,
    ActivityKind.WITHDRAWAL,
    ActivityKind.JOURNAL,
    ActivityKind.CASH_JOURNAL,
    ActivityKind.CASH_TRANSFER,
)

BOOKED_BY_HAND = (
    *CASH_MOVES,
    ActivityKind.INTEREST,
    ActivityKind.FEE,
    ActivityKind.CRYPTO_FEE,
    ActivityKind.THIRD_PARTY_CHARGE,
    ActivityKind.THIRD_PARTY_REBATE,
    ActivityKind.ON_CHAIN,
)


@dataclass(frozen=True, slots=True)
class Holding:
    """A position's shares and total cost in dollars, both negative if the position is short."""

    qty: Decimal
    cost: Decimal

    @property
    def average(self) -> Decimal:
        """The average cost per share."""
        return self.cost / self.qty


class Account:
    """Cash in dollars, and positions.

    Only fills, corporate actions, deposits and withdrawals change an account.
    """

    def __init__(
        self, cash: Decimal, holdings: dict[str, Holding], new_id: Callable[[str], str]
    ) -> None:
        self.cash = cash
        self.holdings = dict(holdings)
        self.activities: list[Activity] = []
        self.closes: dict[date, Decimal] = {}  # equity at each session's close
        self._new_id = new_id
        self._owed: list[tuple[Dividend, Decimal]] = []

    def qty(self, symbol: str) -> Decimal:
        """Return the shares held in a symbol; 0 if none."""
        holding = self.holdings.get(symbol)
        return holding.qty if holding else ZERO

    def fill(self, order: Order, qty: Decimal, price: Decimal, at: datetime) -> None:
        """Book a fill in the account and on the order; the caller sets the order's status."""
        signed = qty if order.is_buy else -qty
        net = -(signed * price)
        self._trade(order.ticket.symbol, signed, price)
        order.filled_qty += qty
        order.filled_value += qty * price
        order.filled_at = order.updated_at = at
        self._book(
            Activity(
                self._activity_id(at),
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
        )

    def split(self, split: Split, at: datetime) -> None:
        """Multiply a position's shares; the total cost stays the same."""
        holding = self.holdings.get(split.symbol)
        if holding is None:
            return
        qty = holding.qty * split.new_rate / split.old_rate
        self.holdings[split.symbol] = Holding(qty, holding.cost)
        change = qty - holding.qty
        self._book(
            Activity(self._activity_id(at), ActivityKind.SPLIT, at, ZERO, split.symbol, change)
        )

    def owe(self, dividend: Dividend) -> None:
        """Note the shares at the previous close, on which a dividend will be paid."""
        qty = self.qty(dividend.symbol)
        if qty:
            self._owed.append((dividend, qty))

    def pay(self, session: date, at: datetime) -> None:
        """Pay the dividends that are payable by a session, or charge a short position for them."""
        due = [each for each in self._owed if each[0].payable <= session]
        self._owed = [each for each in self._owed if each not in due]
        for dividend, qty in due:
            self._pay(dividend, qty, at)

    def _pay(self, dividend: Dividend, qty: Decimal, at: datetime) -> None:
        symbol, amount = dividend.symbol, dividend.amount
        net = (qty * amount).quantize(CENT, ROUND_HALF_UP)
        self._book(
            Activity(self._activity_id(at), ActivityKind.DIVIDEND, at, net, symbol, qty, amount)
        )

    def deposit(self, amount: Decimal, at: datetime, kind: ActivityKind | None = None) -> Activity:
        """Book cash of a kind, by default a deposit, or a withdrawal if the amount is negative."""
        if kind is None:
            kind = ActivityKind.DEPOSIT if amount >= 0 else ActivityKind.WITHDRAWAL
        activity = Activity(self._activity_id(at), kind, at, amount)
        self._book(activity)
        return activity

    @property
    def has_moved_cash(self) -> bool:
        """Whether somebody has booked cash by hand, such as a deposit."""
        return any(activity.kind in BOOKED_BY_HAND for activity in self.activities)

    def deposits(self, after: datetime, until: datetime) -> Decimal:
        """Return deposits minus withdrawals with ``after < at <= until``."""
        return sum((self.cash_flow(kind, after, until) for kind in CASH_MOVES), ZERO)

    def cash_flow(self, kind: ActivityKind, after: datetime, until: datetime) -> Decimal:
        """Return the cash of one kind of activity with ``after < at <= until``."""
        moves = (each for each in self.activities if each.kind is kind)
        return sum((each.net for each in moves if after < each.at <= until), ZERO)

    def _trade(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        held = self.holdings.get(symbol, Holding(ZERO, ZERO))
        qty = held.qty + signed
        if not qty:
            del self.holdings[symbol]
        elif held.qty * signed >= 0:
            self.holdings[symbol] = Holding(qty, held.cost + signed * price)
        elif abs(signed) > abs(held.qty):
            self.holdings[symbol] = Holding(qty, qty * price)
        else:  # the remaining shares keep their average cost
            self.holdings[symbol] = Holding(qty, held.cost * qty / held.qty)

    def _activity_id(self, at: datetime) -> str:
        number = self._new_id("activity")
        return f"{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}::{number}"

    def _book(self, activity: Activity) -> None:
        self.cash += activity.net
        self.activities.append(activity)
