"""Owns the account on the exchange: its orders, their fills, and the sessions.

The code is deterministic and does no input or output. Time is an argument, and a seed determines
the ids, so the same calls at the same instants produce the same account.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from local.paper_broker import matching, replacing, rules, trailing
from local.paper_broker.account import Account, Holding
from local.paper_broker.book import Book
from local.paper_broker.data import DailyBar, MinuteBar
from local.paper_broker.funds import Funds
from local.paper_broker.market import (
    MINUTE,
    EdgeMoment,
    HistoricalMarket,
    SessionEdge,
    new_york_date,
)
from local.paper_broker.values import (
    AccountSetup,
    Activity,
    ActivityKind,
    ApiError,
    Behaviour,
    Order,
    Ticket,
    names,
)

NAMESPACE = uuid.UUID("6f0f2d5e-93b5-4d59-8a6b-0a3b9a1f7c11")
TICK = timedelta(microseconds=1)
GTC_LIFE = timedelta(days=90)


class Exchange:
    """One account on one market, from the instant ``start``.

    ``behaviour`` can be replaced at any time. If the account starts with a symbol that does not
    trade yet, the constructor raises a `ValueError`.
    """

    def __init__(
        self, market: HistoricalMarket, opening: AccountSetup, behaviour: Behaviour, start: datetime
    ) -> None:
        self.market = market
        self.opening = opening
        self.behaviour = behaviour
        self.start = self.now = start
        self.book = Book()
        self._counter = itertools.count(1)
        self._last_stamp = start
        self.id = self._id_of("account")
        self.account = Account(opening.cash, self._first_holdings(), self._new_id)
        self.first_equity = self.funds.equity

    @property
    def today(self) -> date:
        """Today's date in New York, even if the exchange is closed."""
        return new_york_date(self.now)

    @property
    def funds(self) -> Funds:
        """The account's equity and buying power at the latest prices."""
        return self._funds_with(self.book.open)

    def _funds_with(self, orders: list[Order]) -> Funds:
        return Funds(self.account, orders, self.latest, self.opening.multiplier)

    @property
    def last_equity(self) -> Decimal:
        """Equity at the close of the newest session before today's date."""
        session = self.market.before(self.today)
        return self.account.closes.get(session, self.first_equity) if session else self.first_equity

    @property
    def adjustments(self) -> Decimal:
        """Deposits minus withdrawals since the close of `last_equity`."""
        session = self.market.before(self.today)
        since = self.market.closes(session) if session else self.start
        return self.account.deposits(since, self.now)

    @property
    def is_untouched(self) -> bool:
        """Whether the account has no orders, deposits or withdrawals yet."""
        return not self.book.all and not self.account.has_moved_cash

    def latest(self, symbol: str) -> Decimal | None:
        """Return a symbol's latest price; None before its first trade."""
        known = self.market.latest(symbol, self.now)
        return known.price if known else None

    def asset_id(self, symbol: str) -> str:
        """Return a symbol's id, which is the same for every account."""
        return str(uuid.uuid5(NAMESPACE, f"asset:{symbol}"))

    def submit(self, ticket: Ticket) -> Order:
        """Accept an order, or raise an `ApiError` with Alpaca's status, code and message."""
        self._check(ticket)
        return self._accept(ticket)

    def replace(self, order_id: str, body: object) -> Order:
        """Replace an open order, or raise an `ApiError` and leave the order as it is.

        Parameters
        ----------
        body : object
            The body of PATCH /v2/orders/<id>.
        """
        old = self.book.find(order_id)
        ticket = replacing.new_ticket(old, body)
        self._check(ticket, instead_of=old)
        new = self._accept(ticket)
        new.replaces, old.replaced_by = old.id, new.id
        new.triggered = old.triggered and ticket.stop_price == old.stop_price
        self.book.end(old, "replaced", self.now)
        return new

    def _accept(self, ticket: Ticket) -> Order:
        # Stamps ascend strictly, so a client can page through a list by them.
        self._last_stamp = stamp = max(self.now, self._last_stamp + TICK)
        is_open = self.market.is_open(self.now)
        session = new_york_date(self.now if is_open else self.market.next_open(self.now))
        close = self.market.closes(session)
        order_id = self._new_id("order")
        order = Order(
            id=order_id,
            client_order_id=ticket.client_order_id or self._new_id("client"),
            ticket=ticket,
            qty=ticket.qty,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            session=session,
            taken_at=self.now,
            submitted_at=stamp,
            updated_at=stamp,
            expires_at=close + GTC_LIFE if ticket.time_in_force == "gtc" else close,
            status="pending_new" if is_open else "accepted",
        )
        if is_open:
            trailing.follow(order, self.latest(ticket.symbol))
        self.book.add(order)
        return order

    def cancel(self, order_id: str) -> None:
        """Request a cancellation; the order ends at the first request after the cancel delay."""
        self.book.ask_to_cancel(order_id, self.now)

    def cancel_all(self) -> None:
        """Cancel every open order at once, without the cancel delay."""
        for order in self.book.open:
            self.book.ask_to_cancel(order.id, self.now)
        self.book.settle_cancels(self.now, timedelta(0))

    def hang(self, order_id: str, status: str) -> None:
        """Keep an open order in a status forever, as the real broker's orders sometimes do."""
        self.book.hang(order_id, status, self.now)

    def deposit(self, amount: Decimal, kind: ActivityKind | None = None) -> Activity:
        """Book cash of a kind, by default a deposit, or a withdrawal if the amount is negative."""
        return self.account.deposit(amount, self.now, kind)

    def advance(self, now: datetime) -> None:
        """Advance the account through every event up to an instant.

        Raises
        ------
        ValueError
            If the account has already passed the instant.
        """
        if now < self.now:
            message = f"time runs forward: {now} is before {self.now}"
            raise ValueError(message)
        for ring in self.market.edge_moments(self.now, now):
            self._match_minutes(ring.at)
            self.now = ring.at
            if ring.bell is SessionEdge.OPEN:
                self._start_session(ring)
            else:
                self._end_session(ring)
        self._match_minutes(now)
        self.now = now
        if self.market.is_open(now):
            self._match(is_last_look=False)
        self._settle_cancels()

    def _start_session(self, ring: EdgeMoment) -> None:
        history = self.market.history
        for split in history.splits:
            if split.ex_date == ring.session:
                self.account.split(split, ring.at)
                self.book.split(split)
        for dividend in history.dividends:
            if dividend.ex_date == ring.session:
                self.account.owe(dividend)
        self.account.pay(ring.session, ring.at)
        self._match(is_last_look=False)

    def _end_session(self, ring: EdgeMoment) -> None:
        self._match(is_last_look=True)
        self._settle_cancels()
        if not self.market.moving_prices:
            orders = self._begun(ring.session)
            bars = {each.id: self._bar(each, ring.session) for each in orders}
            self._match_range(orders, bars, is_last_look=True)
        self.book.settle_cancels(ring.at, timedelta(0))
        for order in self.book.open:
            is_due = order.session <= ring.session and order.expires_at <= ring.at
            if is_due and not order.hangs:
                self.book.end(order, "expired", ring.at)
        self.account.closes[ring.session] = self.funds.equity

    def _match_minutes(self, until: datetime) -> None:
        """Match the open orders minute by minute, if prices move."""
        session = self.market.last_opened(self.now)
        for end in self.market.minute_ends(self.now, until):
            if session is None or not self.book.open:
                return
            self.now = end
            self._settle_cancels()
            # Prices from before an order do not count.
            orders = [each for each in self._begun(session) if each.taken_at <= end - MINUTE]
            bars = {
                each.id: self.market.minute_before(each.ticket.symbol, session, end)
                for each in orders
            }
            self._match_range(orders, bars, is_last_look=False)
            self._match(is_last_look=False)

    def _match_range(
        self,
        orders: list[Order],
        bars: Mapping[str, DailyBar | MinuteBar | None],
        *,
        is_last_look: bool,
    ) -> None:
        """Match orders against ``bars``, the ranges of a session or of a minute by order id."""
        for order in orders:
            bar = bars[order.id]
            if bar:
                trailing.follow(order, bar.low if order.is_buy else bar.high)
        for order in self._workable():
            bar = bars.get(order.id)
            slippage = self.behaviour.slippage_bps
            price = matching.price_in_range(order, bar, slippage) if bar else None
            if price is not None:
                self._fill(order, price, is_last_look=is_last_look)

    def _bar(self, order: Order, session: date) -> DailyBar | None:
        return self.market.bar(order.ticket.symbol, session)

    def _settle_cancels(self) -> None:
        delay = timedelta(seconds=self.behaviour.cancel_delay_seconds)
        self.book.settle_cancels(self.now, delay)

    def _match(self, *, is_last_look: bool) -> None:
        """Match the open orders against the price at which the newest session trades."""
        session = self.market.last_opened(self.now)
        if session is None:
            return
        for order in self._begun(session):
            price = self.market.price_during(order.ticket.symbol, session, self.now)
            trailing.follow(order, price)
            if names(self.behaviour.reject, order.ticket.symbol):
                self.book.end(order, "rejected", self.now)
            elif order.status in ("accepted", "pending_new"):
                order.status = "new"
                order.updated_at = max(self.now, order.updated_at)
        for order in self._workable():
            price = self.market.price_during(order.ticket.symbol, session, self.now)
            slippage = self.behaviour.slippage_bps
            paid = matching.price_now(order, price, slippage) if price is not None else None
            if paid is not None:
                self._fill(order, paid, is_last_look=is_last_look)
            if order.is_open and order.ticket.time_in_force in rules.AT_ONCE:
                self.book.end(order, "canceled", self.now)

    def _begun(self, session: date) -> list[Order]:
        """List the open orders that can first fill in a session or in an earlier one."""
        return [each for each in self.book.open if each.session <= session and not each.hangs]

    def _workable(self) -> list[Order]:
        """List the open orders that can fill now."""
        delay = timedelta(seconds=self.behaviour.fill_delay_seconds)
        session = self.market.last_opened(self.now)
        return [
            order
            for order in (self._begun(session) if session else ())
            if max(order.taken_at, self.market.opens(order.session)) + delay <= self.now
            and not names(self.behaviour.never_fill, order.ticket.symbol)
        ]

    def _fill(self, order: Order, price: Decimal, *, is_last_look: bool) -> None:
        if order.qty is None and order.ticket.notional is not None:
            order.qty = matching.shares_for(order.ticket.notional, price)
        part = matching.part_to_fill(order, self.behaviour, is_last_look=is_last_look)
        if part <= 0 or (order.ticket.time_in_force == "fok" and part < order.remaining):
            return
        self.account.fill(order, part, price, max(self.now, order.submitted_at))
        if not order.remaining:
            self.book.end(order, "filled", self.now)
        elif order.cancel_requested_at is None:
            order.status = "partially_filled"

    def _check(self, ticket: Ticket, instead_of: Order | None = None) -> None:
        behaviour, symbol = self.behaviour, ticket.symbol
        others = [order for order in self.book.open if order is not instead_of]
        if self.book.is_taken(ticket.client_order_id):
            raise ApiError(422, rules.MALFORMED, "client_order_id must be unique")
        if not self.market.is_listed(symbol, self.now):
            raise ApiError(422, rules.INVALID, f'asset "{symbol}" not found')
        if not self.market.history.listings[symbol].tradable or names(behaviour.untradable, symbol):
            raise ApiError(422, rules.INVALID, f'asset "{symbol}" is not tradable')
        if behaviour.account_blocked or behaviour.trading_blocked:
            raise ApiError(403, rules.FORBIDDEN, "account is blocked from trading")
        if behaviour.trade_suspended_by_user:
            raise ApiError(403, rules.FORBIDDEN, "new orders are rejected by user request")
        if behaviour.restricted_to_liquidation and ticket.side == "buy":
            raise ApiError(403, rules.FORBIDDEN, "account is restricted to liquidation only")
        rules.check_fraction(ticket, fractionable=not names(behaviour.unfractionable, symbol))
        rules.check_wash_trade(ticket, others)
        self._funds_with(others).check(ticket, shorting=behaviour.shorting)

    def _first_holdings(self) -> dict[str, Holding]:
        holdings = {}
        for symbol, qty in self.opening.holdings.items():
            price = self.latest(symbol)
            if price is None:
                message = f"{symbol} does not trade yet, so it cannot be held"
                raise ValueError(message)
            if qty:
                holdings[symbol] = Holding(qty, qty * price)
        return holdings

    def _new_id(self, kind: str) -> str:
        return self._id_of(f"{kind}:{next(self._counter)}")

    def _id_of(self, name: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self.opening.seed}:{name}"))
