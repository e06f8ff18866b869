"""Owns the values of profit and loss: per symbol, per session, and the track across runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, localcontext

from msgspec import Struct, field

from algotrader.model.enums import ActivityKind
from algotrader.model.returns import Periods, Returns
from algotrader.model.settings import Settings
from algotrader.model.units import MONEY, ONE, ZERO


class Activity(Struct, frozen=True):
    """A row of the account's statement that is not a trade.

    Attributes
    ----------
    description : str
        A few words for a person, including the broker's own code.
    symbol : str
        Empty if the row concerns no symbol.
    qty : Decimal or None
        Shares that were moved, or that a dividend was paid on; None if unknown.
    amount : Decimal
        Dollars paid to the account; negative if the account paid.
    at : datetime or None
        When the broker booked the row; None if the broker reports only the day.
    """

    activity_id: str
    kind: ActivityKind
    description: str
    symbol: str
    qty: Decimal | None
    amount: Decimal
    day: date
    at: datetime | None


class Standing(Struct, frozen=True):
    """The desk's total profit in one symbol, in dollars, at one price.

    ``price`` is None if no price is known; the shares then count at cost. ``dividends`` counts from
    the start of the track. It includes dividends that are still due and the value of spun-off
    shares.
    """

    qty: Decimal
    price: Decimal | None
    cost: Decimal
    realized: Decimal
    dividends: Decimal

    @property
    def value(self) -> Decimal:
        """Value of the shares, in dollars."""
        return self.cost if self.price is None else self.qty * self.price

    @property
    def unrealized(self) -> Decimal:
        """Value less cost, in dollars."""
        return self.value - self.cost

    @property
    def profit(self) -> Decimal:
        """Realized and unrealized profit, and dividends, in dollars."""
        return self.realized + self.unrealized + self.dividends


def total_profit(standings: Mapping[str, Standing]) -> Decimal:
    """Compute the desk's total profit in dollars, exactly."""
    with localcontext(MONEY):
        return sum((each.profit for each in standings.values()), ZERO)


class TrackDay(Struct, frozen=True):
    """A session, and the figures from which its profit is measured.

    Attributes
    ----------
    standings : dict of str to Standing
        By symbol, at the close before the session.
    worth : Decimal
        Capital base at that close, or nearest to it; losses are fractions of this base.
    counted_from : Decimal
        Profit from which the daily loss is measured: the profit of ``standings`` or, after a
        reported daily loss, the profit at that moment.
    """

    session: date
    standings: dict[str, Standing]
    worth: Decimal
    counted_from: Decimal


class Receivable(Struct, frozen=True):
    """Cash or shares that left a price on an ex-date, and that the desk's books do not have yet.

    Attributes
    ----------
    symbol : str
        The symbol whose price they left.
    qty : Decimal
        Shares of ``symbol`` that the desk held over the ex-date, after any split on that day.
    cash : Decimal
        Dollars per share.
    new : str
        Symbol of the other shares; empty if there are none.
    rate : Decimal
        Other shares per share.
    payable : date or None
        The payment date; None if unknown.
    before : Decimal or None
        Value per share of ``symbol`` before other shares left it: the previous close, less the
        day's cash, after any split on that day. None if unknown.
    price : Decimal or None
        Dollars per other share at the last observation; None if unknown so far.
    received : Decimal
        Dollars of ``cash`` that the broker has booked for the desk.
    taken : Decimal
        Other shares that a person adopted or released.
    counted : tuple of str
        Ids of the adjustments that ``taken`` includes.
    is_listed : bool
        Whether the broker still lists the corporate action.
    is_over : bool
        Whether nothing more is due, because it came or because it is no longer expected.
    """

    symbol: str
    kind: str
    ex_date: date
    qty: Decimal
    cash: Decimal
    new: str
    rate: Decimal
    payable: date | None
    before: Decimal | None = None
    price: Decimal | None = None
    received: Decimal = ZERO
    taken: Decimal = ZERO
    counted: tuple[str, ...] = ()
    is_listed: bool = True
    is_over: bool = False

    @property
    def new_qty(self) -> Decimal:
        """Other shares that are still due."""
        if self.is_over or not self.is_listed:
            return ZERO
        return max(self.qty * self.rate - self.taken, ZERO)

    @property
    def value(self) -> Decimal:
        """Dollars that are still due, with other shares at their last price."""
        if self.is_over or not self.is_listed:
            return ZERO
        return max(self.qty * self.cash - self.received, ZERO) + self.new_qty * (self.price or ZERO)


class Conversion(Struct, frozen=True):
    """What one share became in a merger or under a new name, while the books show the old shares.

    ``cash`` is in dollars, and ``shares`` counts the other shares, both for each old share.
    """

    ex_date: date
    cash: Decimal
    shares: dict[str, Decimal]


class StrategyStart(Struct, frozen=True):
    """The start of the desk's current strategy.

    Attributes
    ----------
    at : datetime
        Start of its first run that may send orders, by the broker's clock.
    first_buy : date or None
        Session of its first filled buy; None if there is none yet.
    replaced : str
        The previous strategy, until a successful run has reported the change; then empty.
    journal : str
        Journal of the run that reports the change.
    """

    strategy: str
    at: datetime
    first_buy: date | None
    replaced: str
    journal: str


class CashLook(Struct, frozen=True):
    """The account's cash at a run; the next run checks fills and statement from there.

    Attributes
    ----------
    pending_fees : Decimal
        Fees in dollars that the broker had not booked yet.
    seen : tuple of str
        Ids of the newest fills and rows of the statement that ``cash`` includes.
    unproven_after, unproven_until : datetime or None
        The last period in which the cash did not match fills and statement; None if there is none.
    """

    at: datetime
    cash: Decimal
    pending_fees: Decimal
    seen: tuple[str, ...]
    unproven_after: datetime | None = None
    unproven_until: datetime | None = None


class Track(Struct, frozen=True):
    """The desk's profit across runs, stored next to its ledger.

    Attributes
    ----------
    worth : Decimal
        Capital base at ``at``: desk capital, or the positions' value if that is more.
    index, peak : Decimal
        Value of one dollar invested at the start, and its highest value so far. Deposits,
        withdrawals and a changed ``Capital`` do not change them.
    statement_at : datetime or None
        When a run last read the account's statement; None if none has.
    counted : tuple of str
        Ids of the statement's rows that the track already includes.
    reset_at : datetime or None
        Time of the last `resume --reset-peak` that took effect.
    started : StrategyStart or None
        None until a run that may send orders has stored the track.
    receivables : tuple of Receivable
        Those still due, and recent ones that are over.
    conversions : dict of str to Conversion
        By symbol of the old shares that the ledger still holds.
    cash : CashLook or None
        The account's cash at the last run that could read it; None if none could.
    periods : Periods or None
        None in a track that an earlier version stored; its periods start with the next run.
    """

    desk: str
    at: datetime
    standings: dict[str, Standing]
    worth: Decimal
    index: Decimal
    peak: Decimal
    day: TrackDay
    statement_at: datetime | None
    counted: tuple[str, ...]
    reset_at: datetime | None
    started: StrategyStart | None = None
    receivables: tuple[Receivable, ...] = ()
    conversions: dict[str, Conversion] = field(default_factory=dict)
    cash: CashLook | None = None
    periods: Periods | None = None

    @property
    def profit(self) -> Decimal:
        """The desk's profit since it began, in dollars."""
        return total_profit(self.standings)

    @property
    def drawdown(self) -> Decimal:
        """Distance of the index below its peak, as a fraction of the peak; never below 0."""
        return max(ONE - self.index / self.peak, ZERO)


class SymbolProfit(Struct, frozen=True):
    """The desk's shares of a symbol, and the session's profit in it, in dollars."""

    symbol: str
    qty: Decimal
    price: Decimal | None
    value: Decimal
    realized: Decimal
    unrealized: Decimal
    dividends: Decimal

    @property
    def profit(self) -> Decimal:
        """Realized and unrealized profit, and dividends, in dollars."""
        return self.realized + self.unrealized + self.dividends


class Performance(Struct, frozen=True):
    """The desk's profit and loss; all figures count from the previous session's close.

    Attributes
    ----------
    deposits : Decimal or None
        The account's deposits less its withdrawals; None if unknown.
    symbols : tuple of SymbolProfit
        The desk's symbols in alphabetical order: those it holds, and those it sold.
    worth : Decimal
        Capital base at that close.
    drawdown : Decimal
        Distance of the desk below its peak, as a fraction of the peak.
    benchmark : str
        Symbol to compare with; empty if there is none.
    returns : Returns
        The desk's returns next to the benchmark's.
    """

    deposits: Decimal | None
    symbols: tuple[SymbolProfit, ...]
    worth: Decimal
    drawdown: Decimal
    benchmark: str
    returns: Returns

    @property
    def realized(self) -> Decimal:
        """Proceeds of the session's sells less their cost, in dollars."""
        return sum((each.realized for each in self.symbols), Decimal(0))

    @property
    def unrealized(self) -> Decimal:
        """Change in the positions' unrealized profit, in dollars."""
        return sum((each.unrealized for each in self.symbols), Decimal(0))

    @property
    def dividends(self) -> Decimal:
        """Dividends, counted on their ex-dates, and the value of spun-off shares, in dollars."""
        return sum((each.dividends for each in self.symbols), Decimal(0))

    @property
    def desk_profit(self) -> Decimal:
        """The desk's profit in the session, in dollars."""
        return self.realized + self.unrealized + self.dividends


class LossLimits(Struct, frozen=True):
    """The limits on losses, as fractions; once one is reached, the desk only sells."""

    daily_loss: Decimal
    drawdown: Decimal

    @classmethod
    def of(cls, settings: Settings) -> LossLimits:
        """Read the limits from the settings."""
        return cls(settings.max_daily_loss, settings.max_drawdown)
