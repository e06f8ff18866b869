"""Alpaca as a broker; `AlpacaBroker` is all that a composition needs of it."""

from algotrader.adapters.alpaca.broker import AlpacaBroker

__all__ = ["AlpacaBroker"]
