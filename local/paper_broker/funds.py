"""Owns the account's equity, the reserves for open orders, and the limits on new orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from local.paper_broker import matching, rules
from local.paper_broker.account import Account
from local.paper_broker.values import CENT, ZERO, ApiError, Order, Ticket

# Alpaca values a market order 3 % above the latest price when it checks buying power.
COLLAR = Decimal("1.03")
INITIAL_MARGIN = Decimal("0.5")
MAINTENANCE_MARGIN = Decimal("0.3")


class Funds:
    """A view of the account at the latest prices, computed for each use.

    Parameters
    ----------
    account : Account
        Cash and positions.
    open_orders : iterable of Order
        Orders that can still fill.
    latest : callable
        Returns a symbol's latest price in dollars.
    multiplier : int
        1 for a cash account, 2 for a margin account with an initial margin of 50 %.
    """

    def __init__(
        self,
        account: Account,
        open_orders: Iterable[Order],
        latest: Callable[[str], Decimal | None],
        multiplier: int,
    ) -> None:
        self._account = account
        self._orders = [order for order in open_orders if order.is_open]
        self._latest = latest
        self._multiplier = multiplier
        values = [self.market_value(symbol) for symbol in account.holdings]
        self.long_value = sum((value for value in values if value > 0), ZERO)
        self.short_value = sum((value for value in values if value < 0), ZERO)

    @property
    def equity(self) -> Decimal:
        """Cash and positions at the latest prices."""
        return self._account.cash + self.long_value + self.short_value

    @property
    def gross(self) -> Decimal:
        """The value of all positions, with shorts counted as positive."""
        return self.long_value - self.short_value

    @property
    def reserved(self) -> Decimal:
        """The cost of open orders that raise exposure."""
        return sum(map(self._cost, self._orders), ZERO)

    @property
    def buying_power(self) -> Decimal:
        """The most that new orders can cost."""
        if self._multiplier == 1:
            return self.cash_power
        free = (self.equity - INITIAL_MARGIN * self.gross) * self._multiplier
        return max(ZERO, free - self.reserved)

    @property
    def cash_power(self) -> Decimal:
        """The most that new orders can cost without a loan and without the proceeds of shorts."""
        return max(ZERO, self._account.cash + self.short_value - self.reserved)

    def market_value(self, symbol: str) -> Decimal:
        """Return a position's value; negative when short."""
        holding = self._account.holdings[symbol]
        price = self._latest(symbol)
        return holding.qty * price if price is not None else holding.cost

    def held(self, symbol: str) -> Decimal:
        """Return the shares that a position's closing orders reserve."""
        qty = self._account.qty(symbol)
        against = "sell" if qty > 0 else "buy"
        return sum(
            (
                self._shares(order)
                for order in self._orders
                if order.ticket.symbol == symbol and order.ticket.side == against
            ),
            ZERO,
        )

    def available(self, symbol: str) -> Decimal:
        """Return the shares that no open order reserves, below 0 for a short position."""
        qty = self._account.qty(symbol)
        free = max(ZERO, abs(qty) - self.held(symbol))
        return free if qty >= 0 else -free

    def check(self, ticket: Ticket, *, shorting: bool) -> None:
        """Refuse an order that the account cannot cover.

        Raises
        ------
        ApiError
            403 if shares or buying power do not suffice or short sales are not allowed, 422 if a
            short sale has a fraction of a share.
        """
        qty = self._account.qty(ticket.symbol)
        against = (qty > 0 and ticket.side == "sell") or (qty < 0 and ticket.side == "buy")
        wanted = ticket.qty if ticket.qty is not None else self._shares_of_notional(ticket)
        if against:
            available = abs(self.available(ticket.symbol))
            if wanted > available:
                raise self._too_few(ticket, wanted, available)
            return
        if ticket.side == "sell":
            if not shorting:
                raise ApiError(403, rules.FORBIDDEN, "account is not allowed to short")
            if ticket.qty is None or ticket.qty != ticket.qty.to_integral_value():
                raise ApiError(422, rules.INVALID, "fractional orders cannot be sold short")
        cost = self._price(ticket) * wanted if ticket.notional is None else ticket.notional
        if cost > self.buying_power:
            raise ApiError(
                403,
                rules.FORBIDDEN,
                "insufficient buying power",
                buying_power=str(self.buying_power.quantize(CENT)),
                cost_basis=str(cost.quantize(CENT)),
            )

    def _too_few(self, ticket: Ticket, wanted: Decimal, available: Decimal) -> ApiError:
        related = [o.id for o in self._orders if o.ticket.symbol == ticket.symbol]
        details: dict[str, object] = {"related_orders": related} if related else {}
        return ApiError(
            403,
            rules.FORBIDDEN,
            f"insufficient qty available for order (requested: {wanted}, available: {available})",
            symbol=ticket.symbol,
            existing_qty=str(abs(self._account.qty(ticket.symbol))),
            held_for_orders=str(self.held(ticket.symbol)),
            available=str(available),
            **details,
        )

    def _cost(self, order: Order) -> Decimal:
        qty = self._account.qty(order.ticket.symbol)
        if (qty > 0 and not order.is_buy) or (qty < 0 and order.is_buy):
            return ZERO
        if order.qty is None and order.ticket.notional is not None:
            return order.ticket.notional
        return order.remaining * self._price(order.ticket, order.limit_price, order.stop_price)

    def _price(
        self, ticket: Ticket, limit: Decimal | None = None, stop: Decimal | None = None
    ) -> Decimal:
        limit = limit if limit is not None else ticket.limit_price
        stop = stop if stop is not None else ticket.stop_price
        latest = self._latest(ticket.symbol) or ZERO
        if limit is not None:
            return limit if ticket.side == "buy" else max(limit, latest * COLLAR)
        return max(latest, stop or ZERO) * COLLAR

    def _shares(self, order: Order) -> Decimal:
        return order.remaining if order.qty is not None else self._shares_of_notional(order.ticket)

    def _shares_of_notional(self, ticket: Ticket) -> Decimal:
        latest = self._latest(ticket.symbol)
        if ticket.notional is None or not latest:
            return ZERO
        return matching.shares_for(ticket.notional, latest)
