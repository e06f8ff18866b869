"""Alpaca as a broker; `AlpacaBroker` is all that a composition needs of it."""

from algotrader.adapters.alpaca.broker import AlpacaBroker
from algotrader.adapters.keys import Keys

__all__ = ["AlpacaBroker", "Keys"]
