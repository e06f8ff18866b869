"""Owns the settings that most tests start from: the template's defaults, for a stack `desk`."""

from __future__ import annotations

from decimal import Decimal

from algotrader.model import OrderType, Settings, TradingMode

SETTINGS = Settings(
    stack="desk",
    mode=TradingMode.PAPER,
    live_account_number="",
    strategy="momentum_rotation",
    strategy_parameters={},
    symbols=("AAPL", "GOOG", "IBM", "MSFT"),
    capital=None,
    max_position_weight=Decimal("0.35"),
    max_order_notional=Decimal(50000),
    max_orders_per_run=20,
    max_gross_exposure=Decimal(1),
    max_turnover=Decimal(2),
    min_order_notional=Decimal(1),
    deny_symbols=(),
    max_price_deviation=Decimal("0.2"),
    max_daily_loss=Decimal("0.05"),
    max_drawdown=Decimal("0.2"),
    benchmark="SPY",
    min_minutes_to_close=3,
    live_ramp_days=10,
    live_ramp_notional=Decimal(1000),
    cash_reserve=Decimal("0.02"),
    max_price_age_seconds=900,
    max_bar_age_sessions=1,
    max_missing_bars=0,
    no_trade_band=Decimal("0.01"),
    order_type=OrderType.LIMIT,
    limit_offset_bps=20,
    fractional_shares=False,
    bars_feed="sip",
    data_feed="iex",
    adjustment="split",
    slots=("day",),
    max_bell_age_seconds=900,
    run_deadline_seconds=600,
    universes={},
)
