"""Owns what the desk has to work with at the bell: its stakes, what they are worth, its capital."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext

from algotrader.model import Account, LatestPrice, Order, Settings, Side, Snapshot
from algotrader.model.units import CENT, MONEY, ZERO, finite
from algotrader.orders.own_orders import remaining, resting_stops
from algotrader.orders.pricing import marketable_price, usable
from algotrader.orders.statuses import is_terminal
from algotrader.portfolio.position import NO_OTHERS, DeskPosition, desk_position


@dataclass(frozen=True, slots=True)
class BuyingBudget:
    """What entries may cost, in dollars.

    Attributes
    ----------
    cash : Decimal
        What the account lets the desk spend.
    capital_left : Decimal or None
        ``Capital`` less the desk's positions, below 0 if they have outgrown it; None means no
        cap.
    exposure_left : Decimal
        ``MaxGrossExposure`` of desk capital, less the desk's positions and what its open buys may
        still become; may be below 0.
    """

    cash: Decimal
    capital_left: Decimal | None
    exposure_left: Decimal

    @property
    def funds(self) -> Decimal:
        """What the account and ``Capital`` leave, whatever the exposure; never below 0."""
        if self.capital_left is None:
            return max(self.cash, ZERO)
        return max(min(self.cash, self.capital_left), ZERO)

    @property
    def money(self) -> Decimal:
        """What all of them leave; never below 0."""
        return max(min(self.funds, self.exposure_left), ZERO)

    def after(self, cost: Decimal, exposure: Decimal | None = None) -> BuyingBudget:
        """Take off what is spent; a cost below 0 brings money, and room for other positions.

        Parameters
        ----------
        exposure : Decimal or None
            What it takes off ``Capital`` and exposure; None means ``cost``.
        """
        taken = cost if exposure is None else exposure
        return BuyingBudget(
            cash=self.cash - cost,
            capital_left=None if self.capital_left is None else self.capital_left - taken,
            exposure_left=self.exposure_left - taken,
        )


@dataclass(frozen=True, slots=True)
class PortfolioState:
    """The desk at the bell, in dollars.

    Attributes
    ----------
    positions : dict of str to DeskPosition
        Every managed symbol, in alphabetical order: the universe, and what the ledger holds.
    references : dict of str to Decimal
        What a share is valued at; a symbol of unknown worth is absent.
    capital : Decimal
        What weights are fractions of.
    budget : BuyingBudget
        What entries may cost before any exit.
    """

    positions: dict[str, DeskPosition]
    references: dict[str, Decimal]
    capital: Decimal
    budget: BuyingBudget

    @property
    def spendable(self) -> Decimal:
        """What entries may cost when no exit brings anything."""
        return self.budget.money

    def value_of(self, symbol: str) -> Decimal:
        """Value what the desk holds of a symbol; 0 if nothing tells what it is worth."""
        return self.positions[symbol].held * self.references.get(symbol, ZERO)


def portfolio_state(settings: Settings, snapshot: Snapshot) -> PortfolioState:
    """Take stock of the desk.

    Desk capital is the desk's positions at the latest price plus spendable cash, at most
    ``Capital``. A position without a latest price is valued at its last close, else at what it
    cost, so that one missing price does not shrink all other targets.
    """
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
            remaining(stops.get(each, ())),
        )
        for each in sorted(managed)
    }
    references = {
        each: worth for each in positions if (worth := _worth(each, snapshot)) is not None
    }
    invested = sum(
        (positions[each].held * worth for each, worth in references.items()), ZERO
    ).quantize(CENT, ROUND_FLOOR)
    open_buys = open_buy_cost(
        (*snapshot.own_open_orders, *snapshot.foreign_open_orders),
        snapshot.prices,
        settings.limit_offset_bps,
    )
    cash = spendable(snapshot.account, settings.cash_reserve, open_buys)
    pending = open_buy_cost(snapshot.own_open_orders, snapshot.prices, settings.limit_offset_bps)
    capital = _capped(invested + cash, settings)
    # An open buy may fill before its cancel arrives: it counts as a position that was paid for.
    allowed = settings.max_gross_exposure * _capped(invested + cash + pending, settings)
    return PortfolioState(
        positions=positions,
        references=references,
        capital=capital,
        budget=BuyingBudget(
            cash=cash,
            capital_left=None if settings.capital is None else settings.capital - invested,
            exposure_left=(allowed - invested - pending).quantize(CENT, ROUND_FLOOR),
        ),
    )


def _capped(dollars: Decimal, settings: Settings) -> Decimal:
    return dollars if settings.capital is None else min(dollars, settings.capital)


def _worth(symbol: str, snapshot: Snapshot) -> Decimal | None:
    latest = usable(snapshot.prices.get(symbol))
    if latest is not None:
        return latest
    close = finite(snapshot.last_closes.get(symbol, ZERO))
    if close > 0:
        return close
    holding = snapshot.ledger.holdings.get(symbol)
    if holding is None or finite(holding.qty) <= 0 or finite(holding.cost) <= 0:
        return None
    return holding.cost / holding.qty


def spendable(account: Account, cash_reserve: Decimal, open_buys: Decimal = ZERO) -> Decimal:
    """Return the cash that buys may spend, in whole cents; never below 0.

    Parameters
    ----------
    account : Account
        Its ``buying_power`` figures are net of open buys already, as Alpaca keeps them; its
        ``cash`` is not.
    cash_reserve : Decimal
        Fraction that stays unspent.
    open_buys : Decimal
        What open buys may still cost, in dollars; taken off ``cash`` alone.
    """
    with localcontext(MONEY):
        free = min(
            finite(account.cash) - open_buys,
            finite(account.non_marginable_buying_power),
            finite(account.buying_power),
        )
        return max((free * (1 - cash_reserve)).quantize(CENT, ROUND_FLOOR), ZERO)


def open_buy_cost(
    orders: Iterable[Order], prices: Mapping[str, LatestPrice], offset_bps: int
) -> Decimal:
    """Add up what open buys may still cost, in dollars.

    A buy by value counts at what its fills have left of it, one without a limit at its symbol's
    latest price plus the offset. One of an unknown quantity, or without any price, counts for
    nothing here: the broker took it off buying power.
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
        price = order.limit_price
        if price is None and (latest := usable(prices.get(order.symbol))) is not None:
            price = marketable_price(latest, Side.BUY, offset_bps)
        if price is not None:
            total += max(order.qty - order.filled_qty, ZERO) * price
    return total
