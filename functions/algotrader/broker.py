"""Owns the port to the broker: the methods that every broker's adapter must have.

`algotrader.adapters.alpaca` implements it. Another broker needs another adapter.
docs/decisions/0050-the-broker-is-a-port.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from algotrader.model import (
    Account,
    Activity,
    Asset,
    Bars,
    Clock,
    CorporateAction,
    Fill,
    LatestPrice,
    Order,
    OrderIntent,
    OrderRejected,
    Position,
    Session,
    SessionEquity,
)

#: A list of orders must start this much before the first instant that matters. A broker's clock and
#: its order book may disagree, and a server may compare instants less precisely than it stamps
#: orders.
LISTING_MARGIN = timedelta(minutes=1)


class Broker(Protocol):
    """An account at a broker, and the broker's market data.

    Dollars, prices and shares are Decimals. Instants are aware and in UTC, and days are the
    exchange's. A caller may repeat a read at any time.

    Raises
    ------
    BrokerUnavailableError, BrokerRateLimitedError
        From any method, if the broker gives no usable answer; try again.
    BrokerAuthError, ConfigurationError, AccountBlockedError
        From any method, if a person must act.
    """

    def clock(self) -> Clock:
        """Read the broker's clock, the only clock that the desk uses."""

    def sessions(self, start: date, end: date) -> tuple[Session, ...]:
        """List the exchange's sessions from ``start`` to ``end``, both included, ascending."""

    def account(self) -> Account:
        """Read the account."""

    def is_long_only(self) -> bool:
        """Whether the account forbids short sales; False if unknown."""

    def positions(self) -> dict[str, Position]:
        """Read all positions, by symbol."""

    def open_orders(self) -> tuple[Order, ...]:
        """List all open orders for shares, oldest submission first."""

    def orders_after(self, after: datetime | None) -> tuple[Order, ...]:
        """List the orders for shares submitted after an instant, oldest first; None lists them all.

        The method raises an error unless the list is complete. If orders were missing from its
        ledger, the desk would buy the same shares again.
        """

    def order(self, client_order_id: str) -> Order | None:
        """Read an order by its client order id.

        Return None if the broker does not (yet) know it.
        """

    def submit(self, intent: OrderIntent) -> Order | OrderRejected:
        """Send an order once; the adapter never sends it again.

        Returns
        -------
        Order or OrderRejected
            The accepted order, or the broker's definite rejection.

        Raises
        ------
        OrderStateUnknownError
            The order was sent, but its status is unknown. The caller must look it up by its id.
        BrokerAuthError, BrokerRateLimitedError, BrokerUnavailableError
            The broker did not accept the order, or the order was never sent.
        """

    def cancel(self, broker_id: str) -> None:
        """Request a cancellation; only a later read of the order shows the result.

        An order that has ended, or that cannot be canceled now, causes no error.
        """

    def assets(self, symbols: Iterable[str]) -> dict[str, Asset]:
        """Read the assets by symbol; a symbol that the broker does not know is absent."""

    def bars(
        self, symbols: Iterable[str], sessions: Sequence[Session], feed: str, adjustment: str
    ) -> dict[str, Bars]:
        """Read the daily bars of these sessions, by symbol.

        Parameters
        ----------
        sessions : sequence of Session
            Ascending, at least one. The adapter drops bars of other days.
        feed, adjustment : str
            The template's BarsFeed and Adjustment.

        Returns
        -------
        dict of str to Bars
            At most one bar per session; a symbol without bars is absent. A missing or invalid
            figure is NaN, and `algotrader.session.bar_checks` checks for it.
        """

    def latest_prices(self, symbols: Iterable[str], feed: str) -> dict[str, LatestPrice]:
        """Read each symbol's last trade; a symbol without a priced trade is absent."""

    def corporate_actions(
        self, symbols: Iterable[str], start: date, end: date
    ) -> tuple[CorporateAction, ...] | None:
        """List corporate actions with an ex-date from ``start`` to ``end``, both included.

        Returns
        -------
        tuple of CorporateAction or None
            Ascending; an action that involves two symbols appears once for each. None if the
            broker does not offer such a list.
        """

    def statement(self, after: datetime) -> tuple[Activity, ...] | None:
        """Read the account's statement after an instant, without trades, oldest first.

        Returns
        -------
        tuple of Activity or None
            None if the statement is not complete. Only messages and the desk's dividends need it.
        """

    def fills(self, after: datetime) -> tuple[Fill, ...] | None:
        """Read all of the account's fills after an instant, oldest first.

        Returns
        -------
        tuple of Fill or None
            None if the list is not complete. Only messages need it.
        """

    def session_equity(self, session: date, before: date) -> SessionEquity | None:
        """Read the account's equity at the closes of a session and of the session before it.

        Parameters
        ----------
        session, before : date
            The session, and the session before it.

        Returns
        -------
        SessionEquity or None
            None if unknown; only messages need the figures.
        """
