"""Owns the port to the broker: what the steps ask of it, in the desk's own terms.

`algotrader.adapters.alpaca` implements it. Another broker is another adapter, named where a step is
composed (docs/decisions/0050-the-broker-is-a-port.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from algotrader.model import (
    Account,
    Activity,
    Asset,
    Bars,
    Clock,
    CorporateAction,
    LatestPrice,
    Order,
    OrderIntent,
    OrderRejected,
    Position,
    Session,
)

#: A list of orders must start this much earlier: a broker's clock and its order book may differ,
#: and a server may compare instants more coarsely than it stamps orders.
LISTING_MARGIN = timedelta(minutes=1)


class Broker(Protocol):
    """One account at a broker, and its market data.

    Dollars, prices and shares are Decimals. Instants are aware and in UTC, and days are the
    exchange's. Reads may be repeated at any time.

    Raises
    ------
    BrokerUnavailableError, BrokerRateLimitedError
        Any method: no usable answer; try again.
    BrokerAuthError, ConfigurationError, AccountBlockedError
        Any method: a person must act.
    """

    def clock(self) -> Clock:
        """Read the broker's clock, the only one that the desk trades by."""

    def sessions(self, start: date, end: date) -> tuple[Session, ...]:
        """List the exchange's sessions from ``start`` to ``end``, both included, ascending."""

    def account(self) -> Account:
        """Read the account."""

    def is_long_only(self) -> bool:
        """Whether the account itself forbids short sales; False if that is unknown."""

    def positions(self) -> dict[str, Position]:
        """Read all positions, by symbol."""

    def position(self, symbol: str) -> Position | None:
        """Read one position; None if there is none."""

    def open_orders(self) -> tuple[Order, ...]:
        """List all open orders of shares, ascending by submission."""

    def orders_after(self, after: datetime | None) -> tuple[Order, ...]:
        """List all orders of shares submitted after an instant (None: ever), ascending.

        The list is complete, or the method raises: with missing orders in its ledger, the desk
        would buy again what it holds.
        """

    def order(self, client_order_id: str) -> Order | None:
        """Read an order by our id; None if the broker does not know it (yet)."""

    def submit(self, intent: OrderIntent) -> Order | OrderRejected:
        """Send an order once; the adapter never repeats it.

        Returns
        -------
        Order or OrderRejected
            Accepted, or definitely rejected by the broker.

        Raises
        ------
        OrderStateUnknownError
            It was sent, and its status is unknown: look it up by its id.
        BrokerAuthError, BrokerRateLimitedError, BrokerUnavailableError
            The broker did not accept it, or it was not even sent.
        """

    def cancel(self, broker_id: str) -> None:
        """Ask for a cancellation; read the order again to see what became of it.

        Does not fail for an order that has ended, or that cannot be canceled now.
        """

    def assets(self, symbols: Iterable[str]) -> dict[str, Asset]:
        """Read what the broker allows for each symbol; a symbol that it does not know is absent."""

    def bars(
        self, symbols: Iterable[str], sessions: Sequence[Session], feed: str, adjustment: str
    ) -> dict[str, Bars]:
        """Read the daily bars of sessions.

        Parameters
        ----------
        sessions : sequence of Session
            Ascending, at least one. A bar of any other day has no instant and is left out.
        feed, adjustment : str
            As the template's BarsFeed and Adjustment name them.

        Returns
        -------
        dict of str to Bars
            At most one bar a session; a symbol without bars is absent. A figure that is missing,
            or is not a number, is NaN: `algotrader.session.bar_checks` judges it.
        """

    def latest_prices(self, symbols: Iterable[str], feed: str) -> dict[str, LatestPrice]:
        """Read the last trade of each symbol; a symbol without a trade at a price is absent."""

    def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> tuple[CorporateAction, ...] | None:
        """List corporate actions with an ex-date from ``start`` to ``end``, both included.

        Returns
        -------
        tuple of CorporateAction or None
            Ascending. An action that touches two symbols is listed once for each. None if the
            broker does not offer the list.
        """

    def statement(self, after: datetime) -> tuple[Activity, ...] | None:
        """Read the bookings after an instant except trades, oldest first.

        Returns
        -------
        tuple of Activity or None
            None if it cannot be read completely: only messages and the desk's dividends need it.
        """

    def last_session_pnl(self, session: date, before: date) -> Decimal | None:
        """Read the account's profit of one full session, in dollars, without deposits.

        Parameters
        ----------
        session, before : date
            The session, and the one before it.

        Returns
        -------
        Decimal or None
            None if it is unknown; only messages need it.
        """
