"""The Alpaca adapter; other packages need only `AlpacaBroker`."""

from algotrader.adapters.alpaca.broker import AlpacaBroker

__all__ = ["AlpacaBroker"]
