"""Owns the desk's positions, their value, its capital, and its budget for entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_FLOOR, Decimal, localcontext

from msgspec import Struct

from algotrader.model import Account, Order, Settings, Side, Snapshot
from algotrader.model.units import (
    CENT,
    MONEY,
    NO_DOLLARS,
    ZERO,
    Dollars,
    Fraction,
    Price,
    Shares,
    finite,
)
from algotrader.orders.own_orders import remaining, resting_stops
from algotrader.orders.pricing import usable_price
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.position import NO_OTHERS, DeskPosition, desk_position

# The broker reserves a few percent more than the price for a market buy.
MARKET_BUY_MARGIN = Fraction(Decimal("0.04"))


class BuyingBudget(Struct, frozen=True):
    """The most that entries may cost, in dollars.

    Attributes
    ----------
    cash : Dollars
        Cash that the account lets the desk spend.
    capital_left : Dollars or None
        ``Capital`` less the desk's positions and its open buys, below 0 if they have outgrown it;
        None means no cap.
    exposure_left : Dollars
        ``MaxGrossExposure`` of desk capital, less the desk's positions and its open buys; may be
        below 0.
    """

    cash: Dollars
    capital_left: Dollars | None
    exposure_left: Dollars

    @property
    def funds(self) -> Dollars:
        """The money that cash and ``Capital`` leave, regardless of exposure; never below 0."""
        if self.capital_left is None:
            return max(self.cash, NO_DOLLARS)
        return max(min(self.cash, self.capital_left), NO_DOLLARS)

    @property
    def money(self) -> Dollars:
        """The money that cash, ``Capital`` and exposure leave; never below 0."""
        return max(min(self.funds, self.exposure_left), NO_DOLLARS)

    def after_buy(self, *, cost: Dollars) -> BuyingBudget:
        """Return the budget less the cost of a buy."""
        return self._less(cash=cost, exposure=cost)

    def after_sales(self, *, proceeds: Dollars, cash_reserve: Fraction) -> BuyingBudget:
        """Return the budget once the proceeds of sales have arrived; the reserve stays unspent."""
        return self._less(cash=-proceeds * (1 - cash_reserve), exposure=-proceeds)

    def _less(self, *, cash: Decimal, exposure: Decimal) -> BuyingBudget:
        left = self.capital_left
        return BuyingBudget(
            cash=Dollars(self.cash - cash),
            capital_left=None if left is None else Dollars(left - exposure),
            exposure_left=Dollars(self.exposure_left - exposure),
        )


class PortfolioState(Struct, frozen=True):
    """The desk's state at the bell, in dollars.

    Attributes
    ----------
    positions : dict of str to DeskPosition
        By symbol, in alphabetical order: the universe, and every symbol in the ledger.
    references : dict of str to Price
        Value of one share; a symbol of unknown value is absent.
    capital : Dollars
        The desk's capital; weights are fractions of it.
    budget : BuyingBudget
        The most that entries may cost before any exit.
    """

    positions: dict[str, DeskPosition]
    references: dict[str, Price]
    capital: Dollars
    budget: BuyingBudget

    @property
    def spendable(self) -> Dollars:
        """The most that entries may cost if exits bring no cash."""
        return self.budget.money

    def room(self, settings: Settings) -> Dollars | None:
        """Return what ``Capital`` and ``MaxGrossExposure`` leave, or None if cash limits more."""
        if settings.capital is None and settings.max_gross_exposure >= 1:
            return None
        capital, exposure = self.budget.capital_left, self.budget.exposure_left
        return exposure if capital is None else min(capital, exposure)

    def value_of(self, symbol: str) -> Dollars:
        """Return the value of the desk's shares of a symbol; 0 if unknown."""
        return Dollars(self.positions[symbol].held * self.references.get(symbol, ZERO))


def portfolio_state(settings: Settings, snapshot: Snapshot) -> PortfolioState:
    """Compute the desk's positions, their value, its capital, and its budget for entries.

    Desk capital is the desk's positions at the latest price plus spendable cash, at most
    ``Capital``. A position without a latest price counts at its last close, otherwise at its cost,
    so that one missing price does not shrink all other targets.
    """
    with localcontext(MONEY):
        holdings = snapshot.ledger.holdings
        managed = {*settings.symbols, *(each for each in holdings if holdings[each].qty != 0)}
        stops = resting_stops(snapshot.own_open_orders)
        positions = {
            each: desk_position(
                each,
                holdings,
                snapshot.positions,
                snapshot.other_desks.get(each, NO_OTHERS),
                snapshot.causes.get(each, ""),
                Shares(remaining(stops.get(each, ()))),
            )
            for each in sorted(managed)
        }
        references = {
            each: worth for each in positions if (worth := _worth(each, snapshot)) is not None
        }
        invested = sum(
            (positions[each].held * worth for each, worth in references.items()), ZERO
        ).quantize(CENT, ROUND_FLOOR)
        own, foreign = snapshot.own_open_orders, snapshot.foreign_open_orders
        values = {
            each.symbol: worth
            for each in (*own, *foreign)
            if (worth := _worth(each.symbol, snapshot)) is not None
        }
        open_buys = open_buy_cost((*own, *foreign), values)
        cash = spendable(snapshot.account, cash_reserve=settings.cash_reserve, open_buys=open_buys)
        pending = open_buy_cost(own, values)
        capital = _capped(invested + cash, settings)
        # An open buy may fill before its cancel takes effect, or the cancel may hang. So the buy
        # counts as a position already.
        allowed = settings.max_gross_exposure * _capped(invested + cash + pending, settings)
        return PortfolioState(
            positions=positions,
            references=references,
            capital=capital,
            budget=BuyingBudget(
                cash=cash,
                capital_left=None
                if settings.capital is None
                else Dollars(settings.capital - invested - pending),
                exposure_left=Dollars((allowed - invested - pending).quantize(CENT, ROUND_FLOOR)),
            ),
        )


def _capped(money: Decimal, settings: Settings) -> Dollars:
    return Dollars(money if settings.capital is None else min(money, settings.capital))


def _worth(symbol: str, snapshot: Snapshot) -> Price | None:
    latest = usable_price(snapshot.prices.get(symbol))
    if latest is not None:
        return latest
    close = finite(snapshot.last_closes.get(symbol, ZERO))
    if close > 0:
        return Price(close)
    holding = snapshot.ledger.holdings.get(symbol)
    if holding is None or finite(holding.qty) <= 0 or finite(holding.cost) <= 0:
        return None
    return Price(holding.cost / holding.qty)


def spendable(
    account: Account, *, cash_reserve: Fraction, open_buys: Dollars = NO_DOLLARS
) -> Dollars:
    """Return the cash that buys may spend, in whole cents; never below 0.

    Parameters
    ----------
    account : Account
        At Alpaca its ``buying_power`` figures already exclude open buys, but its ``cash`` does not.
    cash_reserve : Fraction
        The fraction that stays unspent.
    open_buys : Dollars
        What open buys may still cost; subtracted only from ``cash``.
    """
    with localcontext(MONEY):
        free = min(
            finite(account.cash) - open_buys,
            finite(account.non_marginable_buying_power),
            finite(account.buying_power),
        )
        cents = (free * (1 - cash_reserve)).quantize(CENT, ROUND_FLOOR)
        return max(Dollars(cents), NO_DOLLARS)


def open_buy_cost(orders: Iterable[Order], values: Mapping[str, Price]) -> Dollars:
    """Compute the most that open buys may still cost.

    A buy by value counts with its unfilled dollars. A buy without a limit counts at its symbol's
    value plus `MARKET_BUY_MARGIN`. A buy of an unknown quantity, or without any price, counts as 0,
    because the broker has already subtracted its cost from buying power.

    Parameters
    ----------
    values : Mapping of str to Price
        By symbol: the value of one share.
    """
    total = ZERO
    for order in orders:
        if order.side is not Side.BUY or is_terminal(order):
            continue
        if order.notional is not None:
            spent = order.filled_qty * (order.filled_avg_price or ZERO)
            total += max(order.notional - spent, ZERO)
        if order.qty is None:
            continue
        price: Decimal | None = order.limit_price
        if price is None and order.symbol in values:
            price = values[order.symbol] * (1 + MARKET_BUY_MARGIN)
        if price is not None:
            total += max(order.qty - order.filled_qty, ZERO) * price
    return Dollars(total)
