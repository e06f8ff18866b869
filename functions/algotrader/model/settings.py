"""Owns the settings of the deployed template, and their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from algotrader.model.enums import OrderType, TradingMode
from algotrader.model.units import Dollars, Fraction


class Bounds(Struct, frozen=True):
    """The range of one numeric setting.

    Attributes
    ----------
    lowest, highest : int
        Both inclusive; with ``above_lowest``, ``lowest`` itself is not allowed.
    """

    lowest: int
    highest: int
    above_lowest: bool = False

    def allow(self, value: Decimal | int) -> bool:
        """Whether a value is a number within the bounds."""
        number = Decimal(value)
        if not number.is_finite() or (self.above_lowest and number == self.lowest):
            return False
        return self.lowest <= number <= self.highest


_DOLLARS = Bounds(0, 10**9, above_lowest=True)
_PART = Bounds(0, 1)
_PART_ABOVE_ZERO = Bounds(0, 1, above_lowest=True)
_DAY_SECONDS = 24 * 60 * 60

#: The bounds of every numeric setting, by field; ``docs/parameters.md`` lists them.
BOUNDS: Mapping[str, Bounds] = MappingProxyType(
    {
        "capital": _DOLLARS,
        "max_position_weight": _PART_ABOVE_ZERO,
        "max_order_notional": _DOLLARS,
        "max_orders_per_run": Bounds(1, 1000),
        "max_positions": Bounds(1, 500),
        "max_gross_exposure": _PART_ABOVE_ZERO,
        "max_turnover": Bounds(0, 10, above_lowest=True),
        "min_order_notional": _DOLLARS,
        "max_price_deviation": Bounds(0, 10, above_lowest=True),
        "max_daily_loss": _PART_ABOVE_ZERO,
        "max_drawdown": _PART_ABOVE_ZERO,
        "min_minutes_to_close": Bounds(0, 390),  # a whole session
        "live_ramp_days": Bounds(0, 365),
        "live_ramp_notional": _DOLLARS,
        "cash_reserve": _PART,
        "max_price_age_seconds": Bounds(1, 7 * _DAY_SECONDS),
        "max_bar_age_sessions": Bounds(1, 20),
        "max_missing_bars": Bounds(0, 100),
        "max_stale_share": _PART,
        "no_trade_band": _PART,
        "limit_offset_bps": Bounds(0, 1000),
        "max_bell_age_seconds": Bounds(1, _DAY_SECONDS),
        "run_deadline_seconds": Bounds(10, 3600),
    }
)


#: The values of ``UnfitSymbols``.
SKIP, STOP = "skip", "stop"
#: The default form of the text message; `algotrader.messages.text_template` has the fields.
TEXT_TEMPLATE = "{head}: {orders}. {last}, {since}. {equity}"


def parameter_of(field: str) -> str:
    """Return the name of the template's parameter for a field of the settings."""
    return "TradingMode" if field == "mode" else "".join(map(str.capitalize, field.split("_")))


class Settings(Struct, frozen=True, kw_only=True):
    """The deployed template's parameters, read once per run so that all steps use the same values.

    ``unfit_symbols`` and every number except ``capital`` have the template's default.

    Attributes
    ----------
    capital : Dollars or None
        Cap on the desk's capital; None means no cap.
    max_position_weight, cash_reserve, no_trade_band : Fraction
        Fractions of desk capital, of spendable cash, and of desk capital.
    max_positions : int
        Most symbols that the desk holds at once.
    max_gross_exposure, max_turnover : Fraction
        Fractions of desk capital: the highest value of all positions together, and the most that
        one run may trade.
    deny_symbols : tuple of str
        Symbols that no run may buy.
    max_price_deviation : Fraction
        Largest distance of an entry's latest price from the last close, as a fraction of that
        close.
    min_order_notional : Dollars
        Smallest cost of an entry.
    max_daily_loss, max_drawdown : Fraction
        Fractions of the capital base at the previous close, and of the peak. Once a loss
        reaches its limit, the desk only sells. 1 disables the limit.
    benchmark : str
        Symbol with which the report compares the desk; empty for none.
    min_minutes_to_close : int
        Fewest minutes before the session's close for an entry.
    live_ramp_days : int
        Calendar days, from a live strategy's first filled buy, during which ``live_ramp_notional``
        limits its entries.
    live_ramp_notional : Dollars
        Most that one run's entries may cost on those days.
    max_price_age_seconds : int
        Oldest latest price that an entry may use.
    max_bar_age_sessions : int
        Largest age of the newest bar, in sessions; 1 is the session before today's.
    max_missing_bars : int
        Most sessions without a bar in a symbol's look-back.
    max_stale_share : Fraction
        Of the symbols that traded the session before, the largest part that may now lack recent
        bars. Beyond it the feed must be late, and the run fails.
    unfit_symbols : str
        ``skip`` to trade without the unfit symbols, or ``stop`` to fail the run.
    bars_feed, data_feed : str
        Feeds of the daily bars and of the latest prices.
    slots : tuple of str
        ``("day",)`` or New York times of day as ``HHMM``, ascending.
    text_template : str
        Form of the text message.
    universes : dict of str to str
        By name: SHA-256 of each list of functions/universes used in ``symbols`` and
        ``deny_symbols``.
    """

    stack: str
    mode: TradingMode
    live_account_number: str
    strategy: str
    strategy_parameters: dict[str, bool | int | float | str]
    symbols: tuple[str, ...]
    capital: Dollars | None
    max_position_weight: Fraction = Fraction(Decimal("0.35"))
    max_order_notional: Dollars = Dollars(Decimal(50000))
    max_orders_per_run: int = 20
    max_positions: int = 500
    max_gross_exposure: Fraction = Fraction(Decimal(1))
    max_turnover: Fraction = Fraction(Decimal(2))
    min_order_notional: Dollars = Dollars(Decimal(1))
    deny_symbols: tuple[str, ...]
    max_price_deviation: Fraction = Fraction(Decimal("0.2"))
    max_daily_loss: Fraction = Fraction(Decimal("0.05"))
    max_drawdown: Fraction = Fraction(Decimal("0.2"))
    benchmark: str
    min_minutes_to_close: int = 3
    live_ramp_days: int = 10
    live_ramp_notional: Dollars = Dollars(Decimal(1000))
    cash_reserve: Fraction = Fraction(Decimal("0.02"))
    max_price_age_seconds: int = 900
    max_bar_age_sessions: int = 1
    max_missing_bars: int = 2
    max_stale_share: Fraction = Fraction(Decimal("0.1"))
    no_trade_band: Fraction = Fraction(Decimal("0.01"))
    order_type: OrderType
    limit_offset_bps: int = 20
    fractional_shares: bool
    bars_feed: str
    data_feed: str
    adjustment: str
    unfit_symbols: str = SKIP
    slots: tuple[str, ...]
    max_bell_age_seconds: int = 900
    run_deadline_seconds: int = 600
    text_template: str = TEXT_TEMPLATE
    universes: dict[str, str]

    @property
    def is_ramped(self) -> bool:
        """Whether the ramp limits a new strategy: only in live mode, unless turned off."""
        return self.mode is TradingMode.LIVE and self.live_ramp_days > 0
