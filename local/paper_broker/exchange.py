"""Owns the account's life on the exchange: orders taken, filled, ended; sessions lived through.

Pure and deterministic: time comes in as an argument, ids follow from a seed, nothing is read or
written. The same calls at the same instants give the same account.
"""

from __future__ import annotations

import itertools
import uuid
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from local.data import Split
from local.paper_broker import matching, rules
from local.paper_broker.account import Account, Holding
from local.paper_broker.funds import Funds
from local.paper_broker.market import Bell, Market, Ring
from local.paper_broker.values import (
    ZERO,
    Activity,
    Behaviour,
    Opening,
    Order,
    Refusal,
    Ticket,
    names,
)

NAMESPACE = uuid.UUID("6f0f2d5e-93b5-4d59-8a6b-0a3b9a1f7c11")
TICK = timedelta(microseconds=1)
GTC_LIFE = timedelta(days=90)


class Exchange:
    """One account on one market.

    Parameters
    ----------
    market : Market
        What happened, and when it was known.
    opening : Opening
        What the account starts with.
    behaviour : Behaviour
        How orders are treated; may be replaced at any time.
    start : datetime
        The instant at which the account begins.
    """

    def __init__(
        self, market: Market, opening: Opening, behaviour: Behaviour, start: datetime
    ) -> None:
        self.market = market
        self.opening = opening
        self.behaviour = behaviour
        self.start = self.now = start
        self.orders: dict[str, Order] = {}
        self._by_client_id: dict[str, Order] = {}
        self._open: dict[str, Order] = {}  # in order of submission
        self._counter = itertools.count(1)
        self._last_stamp = start
        self.id = self._id_of("account")
        self.account = Account(opening.cash, self._first_holdings(), self._new_id)
        self.first_equity = self.funds.equity

    @property
    def funds(self) -> Funds:
        """What the account is worth and may spend at the latest prices."""
        return Funds(self.account, self._open.values(), self.latest, self.opening.multiplier)

    @property
    def open_orders(self) -> list[Order]:
        """The orders that may still fill, oldest first."""
        return list(self._open.values())

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has happened on the account but the passing of time."""
        return not self.orders and not self.account.activities

    def latest(self, symbol: str) -> Decimal | None:
        """Give the latest price of a symbol."""
        known = self.market.latest(symbol, self.now)
        return known.price if known else None

    def asset_id(self, symbol: str) -> str:
        """Give the id of a symbol, the same for every account."""
        return str(uuid.uuid5(NAMESPACE, f"asset:{symbol}"))

    @property
    def last_equity(self) -> Decimal:
        """Equity at the close of the newest session before today's date."""
        session = self.market.before(self.market_date)
        return self.account.closes.get(session, self.first_equity) if session else self.first_equity

    @property
    def market_date(self) -> date:
        """Today's date in New York."""
        return self.market.date_of(self.now)

    @property
    def adjustments(self) -> Decimal:
        """Deposits less withdrawals since the close that `last_equity` is taken at."""
        session = self.market.before(self.market_date)
        since = self.market.closes(session) if session else self.start
        return self.account.deposits_since(max(since, self.start - TICK))

    # -- time ---------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Let everything happen that happens up to an instant; a look at the market.

        Raises
        ------
        ValueError
            When the instant is before the one lived through already.
        """
        if now < self.now:
            message = f"time runs forward: {now} is before {self.now}"
            raise ValueError(message)
        for ring in list(self.market.rings(self.now, now)):
            self.now = ring.at
            if ring.bell is Bell.OPEN:
                self._start_session(ring)
            else:
                self._end_session(ring)
        self.now = now
        if self.market.is_open(now):
            self._match(now, is_last_look=False)
        self._settle_cancels(now)

    def _start_session(self, ring: Ring) -> None:
        for split in self.market.history.splits:
            if split.ex_date == ring.session:
                self.account.split(split, ring.at)
                self._split_orders(split)
        for dividend in self.market.history.dividends:
            if dividend.ex_date == ring.session:
                self.account.pay(dividend, ring.at)
        self._match(ring.at, is_last_look=False)

    def _end_session(self, ring: Ring) -> None:
        self._match(ring.at, is_last_look=True)
        for order in self._workable(ring.at):
            bar = self.market.bar(order.ticket.symbol, ring.session)
            price = (
                matching.price_in_session(order, bar, self.behaviour.slippage_bps) if bar else None
            )
            if price is not None:
                self._fill(order, price, ring.at, is_last_look=True)
        self._settle_cancels(ring.at, is_close=True)
        for order in self.open_orders:
            if order.session > ring.session or order.expires_at > ring.at:
                continue
            order.status, order.expired_at, order.updated_at = "expired", ring.at, ring.at
            del self._open[order.id]
        self.account.closes[ring.session] = self.funds.equity

    def _split_orders(self, split: Split) -> None:
        for order in self._open.values():
            if order.ticket.symbol != split.symbol:
                continue
            if order.qty is not None:
                order.qty = order.qty * split.ratio
                order.filled_qty = order.filled_qty * split.ratio
            rounding = ROUND_FLOOR if order.is_buy else ROUND_CEILING
            if order.limit_price is not None:
                order.limit_price = (order.limit_price / split.ratio).quantize(
                    matching.CENT, rounding
                )
            if order.stop_price is not None:
                order.stop_price = (order.stop_price / split.ratio).quantize(
                    matching.CENT, rounding
                )

    # -- matching -----------------------------------------------------------------------------

    def _match(self, at: datetime, *, is_last_look: bool) -> None:
        session = self.market.last_opened(at)
        for order in self.open_orders:
            if session is None or order.session > session:
                continue
            if names(self.behaviour.reject, order.ticket.symbol):
                order.status, order.failed_at, order.updated_at = "rejected", at, at
                del self._open[order.id]
            elif order.status in ("accepted", "pending_new"):
                order.status, order.updated_at = "new", max(at, order.updated_at)
        for order in self._workable(at):
            bar = self.market.bar(order.ticket.symbol, session) if session else None
            price = (
                matching.price_now(order, bar.open, self.behaviour.slippage_bps) if bar else None
            )
            if price is not None:
                self._fill(order, price, at, is_last_look=is_last_look)
            if order.is_open and order.ticket.time_in_force in ("ioc", "fok"):
                self._close_canceled(order, at)

    def _workable(self, at: datetime) -> list[Order]:
        delay = timedelta(seconds=self.behaviour.fill_delay_seconds)
        session = self.market.last_opened(at)
        return [
            order
            for order in self.open_orders
            if session is not None
            and order.session <= session
            and max(order.submitted_at, self.market.opens(order.session)) + delay <= at
            and not names(self.behaviour.never_fill, order.ticket.symbol)
        ]

    def _fill(self, order: Order, price: Decimal, at: datetime, *, is_last_look: bool) -> None:
        if order.qty is None and order.ticket.notional is not None:
            order.qty = matching.shares_for(order.ticket.notional, price)
        part = matching.part_to_fill(order, self.behaviour, is_last_look=is_last_look)
        if order.ticket.time_in_force == "fok" and part < order.remaining:
            return
        if part <= 0:
            return
        pending_cancel = order.status == "pending_cancel"
        self.account.fill(order, part, price, max(at, order.submitted_at))
        if order.remaining <= 0:
            del self._open[order.id]
        elif pending_cancel:
            order.status = "pending_cancel"

    # -- orders -------------------------------------------------------------------------------

    def submit(self, ticket: Ticket) -> Order:
        """Take an order, or refuse it.

        Raises
        ------
        Refusal
            With Alpaca's status, code and wording.
        """
        self._check(ticket)
        stamp = max(self.now, self._last_stamp + TICK)
        self._last_stamp = stamp
        order_id = self._new_id("order")
        client_order_id = ticket.client_order_id or self._new_id("client")
        is_open = self.market.is_open(self.now)
        session = self.market.date_of(self.now if is_open else self.market.next_open(self.now))
        close = self.market.closes(session)
        order = Order(
            id=order_id,
            client_order_id=client_order_id,
            ticket=ticket,
            qty=ticket.qty,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            session=session,
            submitted_at=stamp,
            updated_at=stamp,
            expires_at=close + GTC_LIFE if ticket.time_in_force == "gtc" else close,
            status="pending_new" if is_open else "accepted",
        )
        self.orders[order.id] = order
        self._by_client_id[client_order_id] = order
        self._open[order.id] = order
        return order

    def order(self, order_id: str) -> Order:
        """Find an order by the broker's id.

        Raises
        ------
        Refusal
            404.
        """
        if order_id not in self.orders:
            raise Refusal(404, 40410000, f"order not found for {order_id}")
        return self.orders[order_id]

    def order_by_client_id(self, client_order_id: str) -> Order:
        """Find an order by the client's id.

        Raises
        ------
        Refusal
            404.
        """
        if client_order_id not in self._by_client_id:
            raise Refusal(404, 40410000, f"order not found for {client_order_id}")
        return self._by_client_id[client_order_id]

    def cancel(self, order_id: str) -> None:
        """Ask for an order's end; it is over at the first look after the cancel delay.

        Raises
        ------
        Refusal
            404, or 422 when the order is over.
        """
        order = self.order(order_id)
        if not order.is_open:
            raise Refusal(422, rules.INVALID, f'order is already in "{order.status}" state')
        if order.cancel_requested_at is None:
            order.cancel_requested_at = order.updated_at = self.now
        order.status = "pending_cancel"

    def deposit(self, amount: Decimal) -> Activity:
        """Bring cash in, or take it out when negative."""
        return self.account.deposit(amount, self.now)

    def available(self, symbol: str) -> Decimal:
        """Give the shares that no open order holds; negative when short."""
        return self.funds.available(symbol)

    def _settle_cancels(self, at: datetime, *, is_close: bool = False) -> None:
        delay = timedelta(seconds=self.behaviour.cancel_delay_seconds)
        for order in self.open_orders:
            asked = order.cancel_requested_at
            if asked is not None and asked < at and (is_close or asked + delay <= at):
                self._close_canceled(order, at)

    def _close_canceled(self, order: Order, at: datetime) -> None:
        order.status, order.canceled_at, order.updated_at = "canceled", at, at
        del self._open[order.id]

    def _check(self, ticket: Ticket) -> None:
        behaviour = self.behaviour
        if ticket.client_order_id in self._by_client_id:
            raise Refusal(422, rules.MALFORMED, "client_order_id must be unique")
        if not self.market.is_listed(ticket.symbol, self.now):
            raise Refusal(422, rules.INVALID, f'asset "{ticket.symbol}" not found')
        if names(behaviour.untradable, ticket.symbol):
            raise Refusal(422, rules.INVALID, f'asset "{ticket.symbol}" is not tradable')
        if behaviour.account_blocked or behaviour.trading_blocked:
            raise Refusal(403, rules.FORBIDDEN, "account is blocked from trading")
        if behaviour.trade_suspended_by_user:
            raise Refusal(403, rules.FORBIDDEN, "new orders are rejected by user request")
        rules.check_fraction(
            ticket, fractionable=not names(behaviour.unfractionable, ticket.symbol)
        )
        rules.check_wash_trade(ticket, self.open_orders)
        self.funds.check(ticket, shorting=behaviour.shorting)

    # -- beginnings ---------------------------------------------------------------------------

    def _first_holdings(self) -> dict[str, Holding]:
        holdings = {}
        for symbol, qty in self.opening.holdings.items():
            price = self.market.close_before(symbol, self.market.date_of(self.now))
            price = price if price is not None else self.latest(symbol)
            if price is None:
                message = f"{symbol} does not trade yet, so it cannot be held"
                raise ValueError(message)
            if qty != ZERO:
                holdings[symbol] = Holding(qty, qty * price)
        return holdings

    def _new_id(self, kind: str) -> str:
        return self._id_of(f"{kind}:{next(self._counter)}")

    def _id_of(self, name: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self.opening.seed}:{name}"))
