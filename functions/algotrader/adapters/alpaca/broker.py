"""Owns Alpaca as a broker: it maps the port's methods to Alpaca's APIs."""

from __future__ import annotations

from algotrader.adapters.alpaca.client import AlpacaClient
from algotrader.adapters.alpaca.market_data import MarketData
from algotrader.adapters.alpaca.statement import Statement
from algotrader.adapters.alpaca.trading import Trading
from algotrader.adapters.keys import Keys


class AlpacaBroker:
    """Alpaca, or any server that speaks its REST API, as `algotrader.broker.Broker`.

    Parameters
    ----------
    keys : Keys
        The account's key pair.
    trading_url, data_url : str
        Base addresses; a trailing ``/`` or ``/v2`` is dropped.
    budget_seconds : float
        Time for all of this object's requests together, from now.

    Raises
    ------
    ConfigurationError
        ``BROKER_URL_INVALID``.
    """

    def __init__(self, keys: Keys, trading_url: str, data_url: str, budget_seconds: float) -> None:
        client = AlpacaClient(keys, trading_url, data_url, budget_seconds)
        trading, market_data = Trading(client), MarketData(client)
        self.clock = trading.clock
        self.sessions = trading.sessions
        self.account = trading.account
        self.is_long_only = trading.is_long_only
        self.positions = trading.positions
        self.open_orders = trading.open_orders
        self.orders_after = trading.orders_after
        self.order = trading.order
        self.submit = trading.submit
        self.cancel = trading.cancel
        self.assets = trading.assets
        self.session_equity = trading.session_equity
        self.bars = market_data.bars
        self.latest_prices = market_data.latest_prices
        self.corporate_actions = market_data.corporate_actions
        activities = Statement(client)
        self.statement = activities.statement
        self.fills = activities.fills
