"""Owns the split of the account's shares among desks and the user, and how a person moves them.

Nothing here buys or sells. A move adds an entry to the list of adjustments in the stack's bucket,
and every later run counts that entry in its ledger.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from algotrader.accounting.receivables import book_adjustments
from algotrader.adapters.adjustments import add_adjustments, read_adjustments
from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.aws import clients_from
from algotrader.adapters.settings import broker_urls, load_keys
from algotrader.adapters.store import Store
from algotrader.broker import Broker
from algotrader.errors import DeskError
from algotrader.model import Adjustment, Ledger, Order, Position, Track, TradingMode
from algotrader.model.units import ZERO, tidy
from algotrader.orders.ids import desk_id, desk_of
from algotrader.orders.own_orders import is_protective
from algotrader.orders.pricing import usable_price
from algotrader.orders.statuses import is_terminal
from algotrader.plain_text import one_line
from algotrader.services.books import Books, read_books, track_key
from algotrader.session.trigger import NEW_YORK
from local.ops.stack import DeployedStack, StackLocation, aws_errors_as_one_line, find_stack

HTTP_BUDGET_SECONDS = 60.0


class TransferRefusedError(Exception):
    """The shares cannot be moved; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class SymbolView:
    """The account's shares in one symbol, and their owners.

    Attributes
    ----------
    own : Decimal
        The desk's shares by its books; below 0 if it has sold more than it bought.
    others : dict of str to Decimal
        Other desks' shares, above 0, by desk.
    """

    position: Position | None
    own: Decimal
    others: dict[str, Decimal]

    @property
    def account(self) -> Decimal:
        """The account's shares; negative for a short position."""
        return self.position.qty if self.position else ZERO

    @property
    def free(self) -> Decimal:
        """Shares that no desk owns; below 0 if the account has fewer than its desks own."""
        return self.account - self.own - sum(self.others.values(), ZERO)


@dataclass(frozen=True, slots=True)
class AccountView:
    """The account and its desks' books, as read at one time.

    Attributes
    ----------
    desk : str
        The stack's own desk.
    price_of : callable
        Returns a symbol's latest price, or None if the broker has none.
    """

    stack: DeployedStack
    desk: str
    now: datetime
    books: Books
    positions: dict[str, Position]
    open_orders: tuple[Order, ...]
    track: Track | None
    store: Store
    tag: str | None
    price_of: Callable[[str], Decimal | None]

    def stock(self, symbol: str) -> SymbolView:
        """Return the shares and owners of a symbol."""
        return SymbolView(
            position=self.positions.get(symbol),
            own=_qty(self.books.ledger, symbol),
            others={
                each.desk: qty for each in self.books.others if (qty := _qty(each, symbol)) > 0
            },
        )

    def adopt(
        self, symbol: str, qty: Decimal, price: Decimal | None, giver: str | None, reason: str
    ) -> None:
        """Move shares that the account holds into the desk's books.

        Parameters
        ----------
        price : Decimal or None
            Cost per share in dollars; None means the broker's average.
        giver : str or None
            Another desk that gives up the shares, or None for shares that no desk owns.

        Raises
        ------
        TransferRefusedError
            If the account has too few free shares, the symbol has open orders or a corporate
            action today, or the giver is the desk itself.
        """
        if giver == self.desk:
            raise TransferRefusedError(f"desk {giver} is this desk and already owns the shares")
        stock = self.stock(symbol)
        # A protective stop sells only its own desk's shares, so only the giver's stops matter.
        resting = (
            each
            for each in self.open_orders
            if not is_protective(each) or desk_of(each.client_order_id) == giver
        )
        self._check_quiet(symbol, resting)
        if giver is not None:
            self._check_holds(giver, symbol, qty)
        free = stock.free + (qty if giver is not None else ZERO)
        if qty > free:
            raise TransferRefusedError(
                f"the desk can adopt at most {_n(max(free, ZERO))} {symbol}, not {_n(qty)}: "
                f"the account holds {_n(stock.account)}, the desk's books have {_n(stock.own)}"
                + "".join(f", desk {name} has {_n(own)}" for name, own in stock.others.items())
            )
        if price is None:
            price = stock.position.avg_entry_price if stock.position else ZERO
        moved = [self._entry(self.desk, symbol, qty, price, reason)]
        if giver is not None:
            moved.append(self._entry(giver, symbol, -qty, ZERO, reason))
        self._add(*moved)

    def release(self, symbol: str, qty: Decimal, desk: str | None, reason: str) -> None:
        """Remove shares from a desk's books because they are the user's or have left the account.

        Parameters
        ----------
        desk : str or None
            Another desk in this stack's books, or None for the stack's own desk.

        Raises
        ------
        TransferRefusedError
            If the desk has fewer shares, its orders are open, or a run is under way.
        """
        whose = desk or self.desk
        due = self.due(symbol) if whose == self.desk else ZERO
        is_due = due and self.stock(symbol).own < qty
        if is_due and qty > due:
            raise TransferRefusedError(
                f"a spin-off owes the desk at most {_n(due)} {symbol}, not {_n(qty)}"
            )
        if not is_due:
            self._check_holds(whose, symbol, qty)
        self._check_quiet(
            symbol, (each for each in self.open_orders if desk_of(each.client_order_id) == whose)
        )
        if whose == self.desk and self.stack.is_under_way():
            raise TransferRefusedError(
                "a run is under way and may be about to sell the shares. Try again when it is over"
            )
        given = self._entry(whose, symbol, -qty, ZERO, reason)
        if not is_due:
            self._add(given)
            return
        # The desk gets and gives up the shares at the same value, so the release is not a loss.
        cost = given.worth or ZERO
        self._add(
            replace(given, id=f"{given.id}-1", qty=qty, price=cost),
            replace(given, id=f"{given.id}-2"),
        )

    def due(self, symbol: str) -> Decimal:
        """Return the shares that spin-offs owe the desk, less those that it has adopted since."""
        if self.track is None:
            return ZERO
        owed, _ = book_adjustments(self.track.receivables, self.books.adjustments, self.desk)
        return sum((each.new_qty for each in owed if each.new == symbol), ZERO)

    def _check_quiet(self, symbol: str, orders: Iterable[Order]) -> None:
        found = [each for each in orders if each.symbol == symbol and not is_terminal(each)]
        if found:
            names = ", ".join(each.client_order_id or each.broker_id for each in found[:3])
            raise TransferRefusedError(
                f"{symbol} has open orders, and their fills would change the books: {names}"
            )
        today = _today(self.now)
        changing = [
            each.kind
            for each in self.books.actions
            if (each.symbol, each.ex_date) == (symbol, today) and not each.is_cash_dividend
        ]
        if changing:
            raise TransferRefusedError(
                f"{symbol} has a {changing[0]} today, and the broker may not count it yet. "
                "Try again tomorrow"
            )

    def _check_holds(self, desk: str, symbol: str, qty: Decimal) -> None:
        ledgers = {each.desk: each for each in (self.books.ledger, *self.books.others)}
        if desk not in ledgers:
            known = ", ".join(sorted(ledgers)) or "none"
            raise TransferRefusedError(
                f"no desk {desk} ever traded on this account. These did: {known}"
            )
        holds = _qty(ledgers[desk], symbol)
        if qty > holds:
            raise TransferRefusedError(
                f"desk {desk} has only {_n(holds)} {symbol} in these books, not {_n(qty)}"
            )

    def _entry(
        self, desk: str, symbol: str, qty: Decimal, price: Decimal, reason: str
    ) -> Adjustment:
        is_renamed = self.track is not None and symbol in self.track.conversions
        worth = None if is_renamed else self.price_of(symbol)
        if worth is None:
            worth = self._last_price(symbol)
        why = one_line(reason)
        return Adjustment(uuid.uuid4().hex[:12], desk, symbol, qty, price, self.now, why, worth)

    def _last_price(self, symbol: str) -> Decimal | None:
        """Return the price at which profit and loss count a share without a latest price."""
        if self.track is None:
            return None
        held = self.track.standings.get(symbol)
        if held is not None and held.price is not None:
            return held.price
        owed = [each.price for each in self.track.receivables if each.new == symbol]
        return next((each for each in owed if each is not None), None)

    def _add(self, *added: Adjustment) -> None:
        with aws_errors_as_one_line(f"the list in {self.store.bucket} was not changed"):
            written = add_adjustments(self.store, self.books.adjustments, self.tag, added)
        if not written:
            raise TransferRefusedError(
                "somebody else has just changed the list, so nothing was moved. Check again"
            )


@contextmanager
def open_account(place: StackLocation) -> Iterator[AccountView]:
    """Read a stack's account and its books, and yield them for one change.

    Raises
    ------
    UsageProblem, AwsProblem
        As `find_stack` does.
    DeskError
        If the broker refuses the keys or does not answer.
    TransferRefusedError
        If the keys belong to a different account than the stack's LiveAccountNumber.
    """
    stack = find_stack(place)
    parameters = stack.parameters

    def client(service: str) -> Any:  # the user reads the keys; the role writes the books
        return stack.books_client(service) if service == "s3" else stack.client(service)

    with clients_from(client):
        store = Store(stack.output("Bucket"))
        with aws_errors_as_one_line("cannot read the stack's keys or books"):
            broker = _broker(stack)
            account, now = broker.account(), broker.clock().now
            if stack.mode is TradingMode.LIVE:
                _check_account(account.number, parameters.get("LiveAccountNumber", ""))
            desk = desk_id(account.number, stack.name)
            _, tag = read_adjustments(store)
            books = read_books(broker, store, desk, (), now, (_today(now), _today(now)))
            view = AccountView(
                stack=stack,
                desk=desk,
                now=now,
                books=books,
                positions=broker.positions(),
                open_orders=broker.open_orders(),
                track=store.try_read(track_key(desk), Track).value,
                store=store,
                tag=tag,
                price_of=lambda symbol: _price(broker, parameters.get("DataFeed", ""), symbol),
            )
        yield view


def _broker(stack: DeployedStack) -> Broker:
    environ = {
        "APCA_API_BASE_URL": stack.parameters.get("AlpacaTradingUrl", ""),
        "APCA_API_DATA_URL": stack.parameters.get("AlpacaDataUrl", ""),
    }
    keys = load_keys(stack.output("AlpacaKeysParameter"))
    return AlpacaBroker(keys, *broker_urls(environ, stack.mode), HTTP_BUDGET_SECONDS)


def _price(broker: Broker, feed: str, symbol: str) -> Decimal | None:
    """Read a symbol's latest price, which only the reported profit depends on."""
    try:
        return usable_price(broker.latest_prices([symbol], feed or "iex").get(symbol))
    except DeskError:
        return None


def _check_account(number: str, wanted: str) -> None:
    if number != wanted:
        raise TransferRefusedError(
            f"the stack's keys belong to account ...{number[-3:]}, but LiveAccountNumber is "
            f"...{wanted[-3:]}"
        )


def _today(now: datetime) -> date:
    return now.astimezone(NEW_YORK).date()


def _qty(ledger: Ledger, symbol: str) -> Decimal:
    holding = ledger.holdings.get(symbol)
    return holding.qty if holding else ZERO


def _n(value: Decimal) -> str:
    return f"{tidy(value):f}"
