"""Owns what a strategy sees: the market's indicators and the desk's own portfolio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from algotrader.model import FeatureValue


class SymbolFeatures(Mapping[str, float]):
    """Indicators of one symbol: ``view["fast"]`` is the last value, ``view.previous["fast"]`` the
    one a bar before, ``view.price`` the latest price or None if the broker has none.
    """

    __slots__ = ("_last", "previous", "price")

    def __init__(self, values: Mapping[str, FeatureValue], price: Decimal | None) -> None:
        self._last = {name: value.last for name, value in values.items()}
        self.previous = {name: value.previous for name, value in values.items()}
        self.price = price

    def __getitem__(self, name: str) -> float:
        """Return the last value; a name not declared raises KeyError with those that were."""
        try:
            return self._last[name]
        except KeyError:
            known = ", ".join(sorted(self._last))
            message = f"{name!r} is not a declared indicator; declared: {known}"
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the declared names."""
        return iter(self._last)

    def __len__(self) -> int:
        """Count the declared names."""
        return len(self._last)


@dataclass(frozen=True, slots=True)
class Market:
    """What a strategy sees of the market at the bell.

    Attributes
    ----------
    session : date
        The session that is about to be traded.
    as_of : date
        The session of the newest completed bar; today's bar is never known.
    symbols : dict of str to SymbolFeatures
        By symbol, in alphabetical order.
    """

    session: date
    as_of: date
    symbols: dict[str, SymbolFeatures]

    def __getitem__(self, symbol: str) -> SymbolFeatures:
        """Return the indicators of one symbol."""
        return self.symbols[symbol]

    def items(self) -> Iterator[tuple[str, SymbolFeatures]]:
        """Iterate over symbols and their indicators, in alphabetical order."""
        return iter(self.symbols.items())


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What a strategy sees of the desk: its own holdings alone, never the user's.

    Attributes
    ----------
    capital : Decimal
        Desk capital in dollars, what weights are fractions of.
    quantities : dict of str to Decimal
        Shares that the desk holds; a symbol that it does not hold is absent.
    weights : dict of str to Decimal
        Market value of each holding as a fraction of desk capital.
    costs : dict of str to Decimal
        What a share of each holding was bought at on average, in dollars.
    stops : dict of str to Decimal
        Price of the desk's stop that rests at the broker, in dollars; absent where none does.
    """

    capital: Decimal
    quantities: dict[str, Decimal]
    weights: dict[str, Decimal]
    costs: dict[str, Decimal] = field(default_factory=dict)
    stops: dict[str, Decimal] = field(default_factory=dict)
