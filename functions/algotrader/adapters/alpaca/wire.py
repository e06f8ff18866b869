"""Owns the shapes of Alpaca's answers, and their conversion to our model.

The parser ignores unknown fields and keeps unknown statuses as strings. It reads money exactly,
from strings and from numbers. It refuses NaN, infinity and amounts larger than any account has.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from algotrader import model
from algotrader.adapters.alpaca.reply import invalid
from algotrader.plain_text import printable
from algotrader.session.trigger import NEW_YORK
from algotrader.soundness import is_brokers_number, is_instant

Instant = Annotated[datetime, Meta(tz=True)]

_LONGEST_TEXT = 1000  # a client order id has at most 128 characters, a page's token a few more
_EQUITY_CLASSES = frozenset({None, "", "us_equity"})
_DOLLARS = frozenset({None, "", "USD"})
#: Corporate actions after which a symbol no longer exists.
_REMOVALS = frozenset({"redemption", "worthless_removal"})


class Answer(Struct, frozen=True):
    """Base class of an answer, with plausible amounts and instants, and short visible strings."""

    def __post_init__(self) -> None:
        """Refuse implausible values, and remove invisible characters."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                if len(value) > _LONGEST_TEXT:
                    message = f"{name} is too long"
                    raise ValueError(message)
                force_setattr(self, name, printable(value))
            for each in value if isinstance(value, list) else (value,):
                _check(name, each)


def _check(name: str, value: object) -> None:
    if isinstance(value, Decimal) and not is_brokers_number(value):
        message = f"{name} is not an amount"
        raise ValueError(message)
    if isinstance(value, datetime) and not is_instant(value):
        message = f"{name} is not a plausible instant"
        raise ValueError(message)


class Clock(Answer, frozen=True):
    """``/v2/clock``."""

    timestamp: Instant
    is_open: bool

    def to_model(self) -> model.Clock:
        """Convert to `model.Clock`."""
        return model.Clock(now=self.timestamp.astimezone(UTC), is_open=self.is_open)


class Session(Answer, frozen=True):
    """A row of ``/v2/calendar``; times of day are New York's, as ``HH:MM``."""

    date: date
    open: str
    close: str

    def to_model(self, request: str) -> model.Session:
        """Convert to `model.Session`, in UTC."""
        return model.Session(
            date=self.date,
            open=self._instant(self.open, request),
            close=self._instant(self.close, request),
        )

    def _instant(self, text: str, request: str) -> datetime:
        try:
            of_day = time.fromisoformat(text)
        except ValueError as error:
            raise invalid(request, f"{text!r} is not a time of day") from error
        return datetime.combine(self.date, of_day, NEW_YORK).astimezone(UTC)


class AdminConfigurations(Answer, frozen=True):
    """The broker's settings for an account; only those that we use."""

    restrict_to_liquidation_reasons: Any = None

    @property
    def liquidation_reasons(self) -> tuple[str, ...]:
        """Why the account may only sell, in Alpaca's words; empty if it may buy."""
        reasons = self.restrict_to_liquidation_reasons
        if not isinstance(reasons, dict):
            return ()
        return tuple(sorted(printable(name) for name, is_set in reasons.items() if is_set is True))


class Account(Answer, frozen=True):
    """The fields of ``/v2/account`` that we use; those that Alpaca always sends are required."""

    account_number: str
    status: str
    equity: Decimal
    last_equity: Decimal
    cash: Decimal
    buying_power: Decimal
    non_marginable_buying_power: Decimal | None = None
    intraday_adjustments: Decimal | None = None
    accrued_fees: Decimal | None = None
    pending_reg_taf_fees: Decimal | None = None
    balance_asof: str | None = None
    account_blocked: bool | None = None
    trading_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None
    admin_configurations: AdminConfigurations | None = None

    def to_model(self) -> model.Account:
        """Convert to `model.Account`, with the names of the flags that forbid trading."""
        flags = ("account_blocked", "trading_blocked", "trade_suspended_by_user")
        blocked_by = [name for name in flags if getattr(self, name)]
        if self.status != "ACTIVE":
            blocked_by.append(f"status {self.status}")
        without_margin = self.non_marginable_buying_power
        if without_margin is None:
            without_margin = min(self.cash, self.buying_power)
        admin = self.admin_configurations or AdminConfigurations()
        return model.Account(
            number=self.account_number,
            status=self.status,
            equity=self.equity,
            last_equity=self.last_equity,
            cash=self.cash,
            buying_power=self.buying_power,
            non_marginable_buying_power=without_margin,
            adjustments=self.intraday_adjustments or Decimal(0),
            blocked_by=tuple(blocked_by),
            only_sells_for=admin.liquidation_reasons,
            last_equity_on=_day_or_none(self.balance_asof),
            pending_fees=abs(self.accrued_fees or Decimal(0))
            + abs(self.pending_reg_taf_fees or Decimal(0)),
        )


def _day_or_none(text: str | None) -> date | None:
    """Parse a day that only messages need, so a strange one must not stop a run."""
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


class AccountConfigurations(Answer, frozen=True):
    """``/v2/account/configurations``; only what we use."""

    no_shorting: bool | None = None


class Position(Answer, frozen=True):
    """A row of ``/v2/positions``."""

    symbol: str
    qty: Decimal
    avg_entry_price: Decimal
    qty_available: Decimal | None = None
    side: str = "long"

    def to_model(self) -> model.Position:
        """Convert to `model.Position`; a short position's quantity is always negative."""
        available = self.qty if self.qty_available is None else self.qty_available
        return model.Position(
            symbol=self.symbol,
            qty=-abs(self.qty) if self.side == "short" else self.qty,
            qty_available=-abs(available) if self.side == "short" else available,
            avg_entry_price=self.avg_entry_price,
        )


class Order(Answer, frozen=True):
    """An order; ``qty`` is null for a notional order."""

    id: str
    client_order_id: str
    status: str
    filled_qty: Decimal
    symbol: str | None = None
    side: str | None = None
    type: str | None = None
    order_type: str | None = None
    asset_class: str | None = None
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: str = "day"
    filled_avg_price: Decimal | None = None
    submitted_at: Instant | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    filled_at: Instant | None = None
    canceled_at: Instant | None = None
    replaces: str | None = None
    notional: Decimal | None = None
    extended_hours: bool | None = None

    @property
    def is_equity(self) -> bool:
        """Whether this is a plain order for shares, not for options, crypto or several legs."""
        return self.asset_class in _EQUITY_CLASSES and bool(self.symbol) and bool(self.side)

    @property
    def since(self) -> datetime | None:
        """When the broker accepted the order."""
        return self.submitted_at or self.created_at

    def to_model(self, request: str) -> model.Order:
        """Convert to `model.Order`."""
        since = self.since
        kind = self.type or self.order_type
        if self.side not in {"buy", "sell"} or not self.symbol or not kind or since is None:
            raise invalid(request, f"order {self.id} lacks symbol, side, type or submitted_at")
        filled_at = None
        if self.filled_qty:
            # Alpaca dates only a complete fill. For a partial fill, the order's last change is
            # closest.
            filled_at = (self.filled_at or self.updated_at or since).astimezone(UTC)
        return model.Order(
            broker_id=self.id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=model.Side(self.side),
            order_type=kind,
            # A notional order has no quantity here, even if the broker reports the shares.
            qty=self.qty if self.notional is None else None,
            limit_price=self.limit_price,
            status=self.status,
            filled_qty=self.filled_qty,
            filled_avg_price=self.filled_avg_price,
            submitted_at=since.astimezone(UTC),
            filled_at=filled_at,
            stop_price=self.stop_price,
            time_in_force=self.time_in_force,
            replaces=self.replaces,
            notional=self.notional,
            extended_hours=self.extended_hours is True,
            canceled_at=None if self.canceled_at is None else self.canceled_at.astimezone(UTC),
        )


class Asset(Answer, frozen=True):
    """A row of ``/v2/assets``."""

    symbol: str
    tradable: bool
    status: str = "active"
    fractionable: bool = False
    asset_class: str | None = msgspec.field(name="class", default=None)

    def to_model(self) -> model.Asset:
        """Convert to `model.Asset`; only active shares are tradable."""
        return model.Asset(
            symbol=self.symbol,
            tradable=self.tradable
            and self.status == "active"
            and self.asset_class in _EQUITY_CLASSES,
            fractionable=self.fractionable,
        )


class Trade(Answer, frozen=True):
    """The last trade of a symbol."""

    p: Decimal
    t: Instant


class LatestTrades(Answer, frozen=True):
    """``/v2/stocks/trades/latest``."""

    trades: dict[str, Trade | None] | None


class Bar(Struct, frozen=True, gc=False):
    """A daily bar; ``t`` is an instant, midnight in New York."""

    t: str
    o: float
    h: float
    l: float  # noqa: E741 - Alpaca's own name
    c: float
    v: float


class LooseBar(Struct, frozen=True):
    """A daily bar with a figure that is missing or not a number."""

    t: str
    o: Any = None
    h: Any = None
    l: Any = None  # noqa: E741 - Alpaca's own name
    c: Any = None
    v: Any = None


class BarsPage(Answer, frozen=True):
    """``/v2/stocks/bars``."""

    bars: dict[str, list[Bar] | None] | None
    next_page_token: str | None = None


class LooseBarsPage(Answer, frozen=True):
    """``/v2/stocks/bars`` with at least one `LooseBar`."""

    bars: dict[str, list[LooseBar] | None] | None
    next_page_token: str | None = None


class StockMovement(Answer, frozen=True):
    """Shares that a reorganization gives for each ``source_rate`` old shares."""

    symbol: str | None = None
    new_rate: Decimal | None = None
    source_rate: Decimal | None = None


class CorporateAction(Answer, frozen=True):
    """One corporate action; its kind determines which fields it has."""

    symbol: str | None = None
    old_symbol: str | None = None
    new_symbol: str | None = None
    source_symbol: str | None = None
    acquiree_symbol: str | None = None
    acquirer_symbol: str | None = None
    alternate_symbol: str | None = None
    ex_date: date | None = None
    effective_date: date | None = None
    process_date: date | None = None
    payable_date: date | None = None
    currency: str | None = None
    new_rate: Decimal | None = None
    old_rate: Decimal | None = None
    source_rate: Decimal | None = None
    acquiree_rate: Decimal | None = None
    acquirer_rate: Decimal | None = None
    alternate_rate: Decimal | None = None
    rate: Decimal | None = None
    cash_rate: Decimal | None = None
    long_term_rate: Decimal | None = None
    short_term_rate: Decimal | None = None
    special: bool | None = None
    stock_movements: list[StockMovement] | None = None

    @property
    def symbols(self) -> set[str]:
        """Every symbol that the action touches."""
        names = (
            self.symbol,
            self.old_symbol,
            self.new_symbol,
            self.source_symbol,
            self.acquiree_symbol,
            self.acquirer_symbol,
            self.alternate_symbol,
            *(each.symbol for each in self.stock_movements or ()),
        )
        return {name for name in names if name}

    @property
    def day(self) -> date | None:
        """The first session on which prices or quantities differ."""
        return self.ex_date or self.effective_date or self.process_date

    def to_model(self, kind: str, symbol: str) -> model.CorporateAction | None:
        """Convert to `model.CorporateAction` of one of the symbols; None if it has no day.

        Only the holder of the source gets or loses anything: a merger's buyer keeps its shares.
        """
        if self.day is None:
            return None
        source = self.symbol or self.source_symbol or self.acquiree_symbol or self.old_symbol
        action = model.CorporateAction(
            symbol=symbol,
            kind=kind,
            ex_date=self.day,
            ratio=None,
            others=tuple(sorted(self.symbols - {symbol})),
        )
        if symbol != source:
            return action
        cash, shares = self._cash(kind), self._shares(kind, symbol)
        if cash is None or shares is None:  # a value that leaves out a part would be wrong
            cash, shares = Decimal(0), ()
        return replace(
            action,
            ratio=self._ratio(kind),
            cash=cash,
            shares=shares,
            payable=self.payable_date,
            is_special=self.special is True,
            becomes=self._becomes(kind, symbol),
        )

    def _becomes(self, kind: str, source: str) -> str | None:
        """Return the symbol that replaces the source, empty for none; None if the source stays."""
        if kind.endswith("merger"):
            return self.acquirer_symbol or ""
        if kind in {model.NAME_CHANGE, "reverse_split", "unit_split"}:
            return self.new_symbol if self.new_symbol != source else None
        return "" if kind in _REMOVALS else None

    def _ratio(self, kind: str) -> Decimal | None:
        """Return the factor for quantities; None if the action changes more than quantities."""
        if kind in {"forward_split", "reverse_split"} and self.new_rate and self.old_rate:
            return self.new_rate / self.old_rate
        if kind == "stock_dividend" and self.rate:
            return 1 + self.rate
        return None

    def _cash(self, kind: str) -> Decimal | None:
        """Return the dollars per share; None if the cash is in another currency."""
        match kind:
            case "cash_dividend" | "cash_merger" | "redemption":
                cash = self.rate or Decimal(0)
            case "capital_gains_distribution":
                cash = (self.long_term_rate or Decimal(0)) + (self.short_term_rate or Decimal(0))
            case "stock_and_cash_merger" | "reorganization":
                cash = (self.cash_rate or Decimal(0)) / (self.acquiree_rate or 1)
            case _:
                cash = Decimal(0)
        return None if cash and self.currency not in _DOLLARS else max(cash, Decimal(0))

    def _shares(self, kind: str, source: str) -> tuple[model.NewShares, ...] | None:
        """Return the shares of other symbols per share; None if a symbol or a rate is missing."""
        one, parts = Decimal(1), list[tuple[str | None, Decimal | None, Decimal | None]]()
        match kind:
            case "spin_off":
                parts = [(self.new_symbol, self.new_rate, self.source_rate)]
            case "rights_distribution":
                parts = [(self.new_symbol, self.rate, one)]
            case "stock_merger" | "stock_and_cash_merger":
                parts = [(self.acquirer_symbol, self.acquirer_rate, self.acquiree_rate)]
            case "name_change":
                parts = [(self.new_symbol, one, one)]
            case "reverse_split" if self.new_symbol:
                parts = [(self.new_symbol, one, one)]
            case "unit_split":
                parts = [
                    (self.new_symbol, self.new_rate, self.old_rate),
                    (self.alternate_symbol, self.alternate_rate, self.old_rate),
                ]
            case "reorganization":
                parts = [
                    (each.symbol, each.new_rate, each.source_rate)
                    for each in self.stock_movements or ()
                ]
        found = [
            model.NewShares(symbol, new / old)
            for symbol, new, old in parts
            if symbol and symbol != source and new and old
        ]
        return tuple(found) if len(found) == len(parts) else None


class CorporateActionsPage(Answer, frozen=True):
    """``corporate-actions``: lists by kind, in the plural."""

    corporate_actions: dict[str, list[CorporateAction] | None] | None
    next_page_token: str | None = None


class PortfolioHistory(Answer, frozen=True):
    """``/v2/account/portfolio/history``: columns of equal length.

    ``profit_loss`` contains deposits and withdrawals. ``cashflow`` has a column by activity type.
    """

    timestamp: list[int]
    equity: list[Decimal | None]
    profit_loss: list[Decimal | None]
    cashflow: dict[str, list[Decimal | None]] | None = None
