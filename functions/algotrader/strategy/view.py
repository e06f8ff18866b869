"""Owns the strategy's view of the market's indicators and of the desk's own portfolio."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field

from algotrader.errors import InsufficientHistoryError
from algotrader.model import Bar, FeatureValue
from algotrader.suggestions import did_you_mean


class SymbolFeatures(Mapping[str, float]):
    """The indicators, the newest completed bar and the latest price of one symbol.

    ``view["fast"]`` is the last value and ``view.previous["fast"]`` the value one bar earlier.
    ``view.close`` is the newest bar's close, and ``view.price`` the latest price in dollars, or
    None if the broker has none.

    Parameters
    ----------
    bar : Bar or None
        The newest completed bar. A run always has one; a test needs one only if the strategy does.
    """

    __slots__ = ("_bar", "_last", "previous", "price")

    def __init__(
        self, values: Mapping[str, FeatureValue], price: Decimal | None, bar: Bar | None = None
    ) -> None:
        self._last = {name: value.last for name, value in values.items()}
        self.previous = {name: value.previous for name, value in values.items()}
        self.price = price
        self._bar = bar

    @property
    def open(self) -> float:
        """Opening price of the newest bar, in dollars."""
        return self._newest_bar().open

    @property
    def high(self) -> float:
        """Highest price of the newest bar, in dollars."""
        return self._newest_bar().high

    @property
    def low(self) -> float:
        """Lowest price of the newest bar, in dollars."""
        return self._newest_bar().low

    @property
    def close(self) -> float:
        """Closing price of the newest bar, in dollars."""
        return self._newest_bar().close

    @property
    def volume(self) -> float:
        """Shares traded in the newest bar."""
        return self._newest_bar().volume

    def _newest_bar(self) -> Bar:
        if self._bar is None:
            message = "SymbolFeatures has no bar; build it with bar=Bar(open, high, low, ...)"
            raise ValueError(message)
        return self._bar

    def __getitem__(self, name: str) -> float:
        """Return the last value; an undeclared name raises KeyError with the declared names."""
        try:
            return self._last[name]
        except KeyError:
            known = ", ".join(sorted(self._last)) or "none"
            message = f"{name!r} is not a declared indicator; declared: {known}"
            if name in {*Bar.__struct_fields__, "price"}:
                message += f"; the newest bar and the price are attributes, as in .{name}"
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the declared names."""
        return iter(self._last)

    def __len__(self) -> int:
        """Count the declared names."""
        return len(self._last)


#: The part of the calendar to which a day belongs, by the period's name.
_PERIODS: Mapping[str, Callable[[date], tuple[int, int]]] = MappingProxyType(
    {
        "week": lambda day: day.isocalendar()[:2],
        "month": lambda day: (day.year, day.month),
        "quarter": lambda day: (day.year, (day.month - 1) // 3),
    }
)


class Market(Struct, frozen=True):
    """The market as a strategy sees it when the run starts; iterating gives the fit symbols.

    Attributes
    ----------
    session : date
        The session that the run trades in.
    as_of : date
        The session of the newest completed bar; never today.
    symbols : dict of str to SymbolFeatures
        By symbol, in alphabetical order, without the unfit symbols and the references.
    unfit : dict of str to str
        By symbol: why the run cannot use its data. The desk buys nothing in it and keeps a holding.
        An unfit reference is here too.
    reference : dict of str to SymbolFeatures or None
        The symbols of the strategy's ``reference`` that are not in the template's Symbols; None for
        an unfit one.
    previous_session, next_session : date or None
        The sessions before and after ``session`` in the broker's calendar; None if the calendar
        ends there.
    """

    session: date
    as_of: date
    symbols: dict[str, SymbolFeatures]
    unfit: dict[str, str] = field(default_factory=dict)
    reference: dict[str, SymbolFeatures | None] = field(default_factory=dict)
    previous_session: date | None = None
    next_session: date | None = None

    @property
    def universe(self) -> tuple[str, ...]:
        """The template's Symbols, fit or not, in alphabetical order."""
        return tuple(sorted({*self.symbols, *self.unfit} - self.reference.keys()))

    def __getitem__(self, symbol: str) -> SymbolFeatures:
        """Return the indicators of one symbol; KeyError says why a symbol has none."""
        if symbol in self.unfit:
            message = (
                f"{symbol} is unfit ({self.unfit[symbol]}) and has no indicators today; loop over "
                "market.items(), or check that the symbol is not in market.unfit"
            )
            raise KeyError(message)
        found = self.symbols.get(symbol, self.reference.get(symbol))
        if found is None:
            message = (
                f"{symbol} is not in the template's Symbols; add it there, or to the strategy's "
                "reference if the desk should not trade it"
            )
            raise KeyError(message)
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the fit symbols, in alphabetical order, without references."""
        return iter(self.symbols)

    def __len__(self) -> int:
        """Count the fit symbols, without references."""
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        """Whether the symbol is fit and the desk may trade it."""
        return symbol in self.symbols

    def items(self) -> Iterator[tuple[str, SymbolFeatures]]:
        """Iterate over symbols and their indicators, in alphabetical order, without references."""
        return iter(self.symbols.items())

    def is_first_session_of(self, period: Literal["week", "month", "quarter"]) -> bool:
        """Whether no earlier session belongs to the same week, month or quarter.

        Raises
        ------
        InsufficientHistoryError
            ``CALENDAR_TOO_SHORT`` if the broker's calendar has no earlier session.
        """
        return self._is_edge(period, self.previous_session, "before")

    def is_last_session_of(self, period: Literal["week", "month", "quarter"]) -> bool:
        """Whether no later session belongs to the same week, month or quarter.

        Raises
        ------
        InsufficientHistoryError
            ``CALENDAR_TOO_SHORT`` if the broker's calendar has no later session.
        """
        return self._is_edge(period, self.next_session, "after")

    def _is_edge(self, period: str, neighbor: date | None, side: str) -> bool:
        if period not in _PERIODS:
            known = ", ".join(_PERIODS)
            message = f"{period!r} is not a period{did_you_mean(str(period), _PERIODS)}"
            raise ValueError(f"{message}; known: {known}")
        if neighbor is None:
            raise InsufficientHistoryError(
                "CALENDAR_TOO_SHORT",
                f"The broker's calendar has no session {side} this one, so the strategy cannot "
                f"know where its {period} begins or ends. Start the run in another session.",
                session=self.session,
            )
        key = _PERIODS[period]
        return key(neighbor) != key(self.session)


class Portfolio(Struct, frozen=True):
    """The desk as a strategy sees it: only its own holdings, never the user's shares.

    Attributes
    ----------
    capital : Decimal
        Desk capital in dollars; weights are fractions of it.
    quantities : dict of str to Decimal
        The desk's shares by symbol; a symbol that it does not hold is absent.
    weights : dict of str to Decimal
        Market value of each holding as a fraction of desk capital.
    costs : dict of str to Decimal
        Average cost per share of each holding, in dollars.
    stops : dict of str to Decimal
        Price of the desk's resting stop, in dollars; absent if there is none.
    """

    capital: Decimal
    quantities: dict[str, Decimal]
    weights: dict[str, Decimal]
    costs: dict[str, Decimal] = field(default_factory=dict)
    stops: dict[str, Decimal] = field(default_factory=dict)
