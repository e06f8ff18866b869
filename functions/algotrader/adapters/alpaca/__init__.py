"""The broker, over alpaca-trade-api; `AlpacaBroker` is all that the steps see of it."""

from algotrader.adapters.alpaca.broker import AlpacaBroker
from algotrader.adapters.keys import Keys

__all__ = ["AlpacaBroker", "Keys"]
