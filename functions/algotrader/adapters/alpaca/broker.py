"""Owns the broker as the steps see it."""

from __future__ import annotations

from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.market_data import MarketData
from algotrader.adapters.alpaca.share_moves import Statement
from algotrader.adapters.alpaca.trading import Trading
from algotrader.adapters.keys import Keys


class AlpacaBroker(Trading, MarketData, Statement):
    """Alpaca, or any server that speaks its REST API.

    Parameters
    ----------
    keys : Keys
        The account's key pair.
    trading_url, data_url : str
        Base addresses; a trailing ``/`` or ``/v2`` is dropped.
    budget_seconds : float
        Time for all requests of this object together, from now.

    Raises
    ------
    ConfigurationError
        ``BROKER_URL_INVALID``.
    """

    def __init__(self, keys: Keys, trading_url: str, data_url: str, budget_seconds: float) -> None:
        client = AlpacaClient(keys, trading_url, data_url, budget_seconds)
        Trading.__init__(self, client)
        MarketData.__init__(self, client)
        Statement.__init__(self, client)
