"""Owns the strategy's view of the market's indicators and of the desk's own portfolio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from algotrader.model import FeatureValue


class SymbolFeatures(Mapping[str, float]):
    """The indicators of one symbol.

    ``view["fast"]`` is the last value and ``view.previous["fast"]`` the value one bar earlier.
    ``view.price`` is the latest price in dollars, or None if the broker has none.
    """

    __slots__ = ("_last", "previous", "price")

    def __init__(self, values: Mapping[str, FeatureValue], price: Decimal | None) -> None:
        self._last = {name: value.last for name, value in values.items()}
        self.previous = {name: value.previous for name, value in values.items()}
        self.price = price

    def __getitem__(self, name: str) -> float:
        """Return the last value; an undeclared name raises KeyError with the declared names."""
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


class Market(Struct, frozen=True):
    """The market as a strategy sees it when the run starts.

    Attributes
    ----------
    session : date
        The session that the run trades in.
    as_of : date
        The session of the newest completed bar; never today.
    symbols : dict of str to SymbolFeatures
        By symbol, in alphabetical order, without the unfit symbols.
    unfit : dict of str to str
        By symbol: why the run cannot use its data. The desk buys nothing in it and keeps a holding.
    """

    session: date
    as_of: date
    symbols: dict[str, SymbolFeatures]
    unfit: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, symbol: str) -> SymbolFeatures:
        """Return the indicators of one symbol; a symbol without any raises KeyError with why."""
        if symbol in self.unfit:
            message = (
                f"{symbol} is unfit ({self.unfit[symbol]}) and has no indicators today; loop over "
                "market.items(), or check that the symbol is in market.symbols"
            )
            raise KeyError(message)
        if symbol not in self.symbols:
            raise KeyError(f"{symbol} is not in the template's Symbols; add it there")
        return self.symbols[symbol]

    def items(self) -> Iterator[tuple[str, SymbolFeatures]]:
        """Iterate over symbols and their indicators, in alphabetical order."""
        return iter(self.symbols.items())


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
