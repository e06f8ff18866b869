"""Alpaca as a broker; a composition needs only `AlpacaBroker`."""

from algotrader.adapters.alpaca.broker import AlpacaBroker

__all__ = ["AlpacaBroker"]
