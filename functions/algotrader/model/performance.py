"""Owns what the desk made or lost: where each symbol stands, the day's figures, the kept track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext

from algotrader.model.settings import Settings
from algotrader.model.units import MONEY, ONE_SHARE, ZERO


@dataclass(frozen=True, slots=True)
class Activity:
    """A row of the account's statement that is no trade.

    Attributes
    ----------
    kind : str
        The broker's word, such as ``CSD`` or ``DIV``.
    symbol : str
        Empty when it is about none.
    qty : Decimal or None
        Shares that a dividend was paid on, when the broker tells.
    amount : Decimal
        What it brought to the account in dollars, below 0 if it took.
    at : datetime or None
        When it was booked; None if the broker gives the day alone.
    """

    activity_id: str
    kind: str
    symbol: str
    qty: Decimal | None
    amount: Decimal
    day: date
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the desk has made of one symbol since it began, in dollars, at one price.

    ``price`` is None if nothing tells what a share is worth: then it is worth what it cost.
    ``dividends`` count since the track of them began.
    """

    qty: Decimal
    price: Decimal | None
    cost: Decimal
    realized: Decimal
    dividends: Decimal

    @property
    def value(self) -> Decimal:
        """What the shares are worth."""
        return self.cost if self.price is None else self.qty * self.price

    @property
    def unrealized(self) -> Decimal:
        """What they are worth more than they cost."""
        return self.value - self.cost

    @property
    def profit(self) -> Decimal:
        """All of it."""
        return self.realized + self.unrealized + self.dividends


def total_profit(standings: Mapping[str, Standing]) -> Decimal:
    """Sum up what the desk has made, in dollars, exactly."""
    with localcontext(MONEY):
        return sum((each.profit for each in standings.values()), ZERO)


@dataclass(frozen=True, slots=True)
class TrackDay:
    """A session, and what its profit is counted from.

    Attributes
    ----------
    standings : dict of str to Standing
        By symbol, at the close before the session.
    worth : Decimal
        What the desk had to work with then, or nearest to it: what a loss is a fraction of.
    counted_from : Decimal
        The profit that a loss is counted from. It is that of ``standings`` until a daily loss was
        told, and then the profit at that moment.
    """

    session: date
    standings: dict[str, Standing]
    worth: Decimal
    counted_from: Decimal


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The desk's shares over a dividend's ex-date; the money may come weeks later."""

    ex_date: date
    qty: Decimal


@dataclass(frozen=True, slots=True)
class StrategyStart:
    """Since when the desk's present strategy trades.

    Attributes
    ----------
    at : datetime
        When its first run that may send orders began, by the broker's clock.
    first_buy : date or None
        The session of its first buy that was filled; None if there is none yet.
    replaced : str
        The strategy before it, until a run that ended well has reported the change; then empty.
    journal : str
        Of the run that reports the change.
    """

    strategy: str
    at: datetime
    first_buy: date | None
    replaced: str
    journal: str


@dataclass(frozen=True, slots=True)
class Track:
    """The desk's profit carried from run to run, kept beside its ledger.

    Attributes
    ----------
    worth : Decimal
        What the desk had to work with at ``at``.
    index, peak : Decimal
        What one dollar of the desk has become, and the most that it was: deposits, withdrawals and
        a changed ``Capital`` do not move it.
    statement_at : datetime or None
        When the account's statement was last read; None if it never was.
    counted : tuple of str
        Ids of the statement's rows that need not be looked at again.
    reset_at : datetime or None
        The newest `resume --reset-peak` that was obeyed.
    started : StrategyStart or None
        None if no run that may send orders has kept the track yet.
    """

    desk: str
    at: datetime
    standings: dict[str, Standing]
    worth: Decimal
    index: Decimal
    peak: Decimal
    day: TrackDay
    entitled: dict[str, Entitlement]
    statement_at: datetime | None
    counted: tuple[str, ...]
    reset_at: datetime | None
    started: StrategyStart | None = None

    @property
    def profit(self) -> Decimal:
        """What the desk has made since it began, in dollars."""
        return total_profit(self.standings)

    @property
    def drawdown(self) -> Decimal:
        """How far the index is below its peak, as a fraction of the peak; never below 0."""
        return max(ONE_SHARE - self.index / self.peak, ZERO)


@dataclass(frozen=True, slots=True)
class SymbolProfit:
    """What the desk has of a symbol, and what the session brought in it, in dollars."""

    symbol: str
    qty: Decimal
    price: Decimal | None
    value: Decimal
    realized: Decimal
    unrealized: Decimal
    dividends: Decimal

    @property
    def profit(self) -> Decimal:
        """All of it."""
        return self.realized + self.unrealized + self.dividends


@dataclass(frozen=True, slots=True)
class Performance:
    """What the texts say of profit and loss; the session's figures count from the close before it.

    Attributes
    ----------
    deposits : Decimal or None
        Deposits less withdrawals; None if what the broker says does not agree.
    account_profit : Decimal or None
        The account's profit without them; None if it is not known.
    symbols : tuple of SymbolProfit
        The desk's, in alphabetical order: what it holds, and what it sold in the session.
    worth : Decimal
        What the desk had to work with at that close.
    drawdown : Decimal
        How far the desk is below its peak, as a fraction of it.
    benchmark : str
        The symbol to compare with; empty if there is none, or when this run compares nothing.
    benchmark_change : Decimal or None
        Its change since that close, as a fraction.
    """

    deposits: Decimal | None
    account_profit: Decimal | None
    symbols: tuple[SymbolProfit, ...]
    worth: Decimal
    drawdown: Decimal
    benchmark: str
    benchmark_change: Decimal | None

    @property
    def realized(self) -> Decimal:
        """What the desk's sells of the session brought beyond their cost."""
        return sum((each.realized for each in self.symbols), Decimal(0))

    @property
    def unrealized(self) -> Decimal:
        """How much what its positions are worth beyond their cost has changed."""
        return sum((each.unrealized for each in self.symbols), Decimal(0))

    @property
    def dividends(self) -> Decimal:
        """The desk's part of dividends that were booked."""
        return sum((each.dividends for each in self.symbols), Decimal(0))

    @property
    def desk_profit(self) -> Decimal:
        """The desk's profit of the session."""
        return self.realized + self.unrealized + self.dividends


@dataclass(frozen=True, slots=True)
class LossLimits:
    """The most that the desk may lose before it only sells, as fractions."""

    daily_loss: Decimal
    drawdown: Decimal

    @classmethod
    def of(cls, settings: Settings) -> LossLimits:
        """Take them from the settings."""
        return cls(settings.max_daily_loss, settings.max_drawdown)
