"""The script that people copy from a blog: one process, one symbol and one order after another.

It trades `strategies/sma_cross.py` with market orders, and has no journal, no limits and no retry.
``python tests/bench/plain_script.py SYMBOL ...`` reads the broker's addresses and keys from the
variables of alpaca-trade-api.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import alpaca_trade_api
from ta.trend import SMAIndicator

FAST, SLOW = 20, 100
CASH_RESERVE = 0.02


def trade(symbols: list[str]) -> None:
    api = alpaca_trade_api.REST()
    clock = api.get_clock()
    if not clock.is_open:
        return
    equity = float(api.get_account().equity) * (1 - CASH_RESERVE)
    held = {position.symbol: int(position.qty) for position in api.list_positions()}
    today = clock.timestamp.date()
    wanted = {}
    for symbol in symbols:
        bars = api.get_bars(
            symbol,
            "1Day",
            start=str(today - timedelta(days=SLOW * 2)),
            end=str(today - timedelta(days=1)),
            adjustment="split",
            feed="sip",
        ).df
        if len(bars) < SLOW:
            continue
        fast = SMAIndicator(bars["close"], FAST).sma_indicator().iloc[-1]
        slow = SMAIndicator(bars["close"], SLOW).sma_indicator().iloc[-1]
        if fast > slow:
            wanted[symbol] = int(equity / len(symbols) / bars["close"].iloc[-1])
    changes = {each: wanted.get(each, 0) - held.get(each, 0) for each in {*wanted, *held}}
    for symbol, change in sorted(changes.items(), key=lambda item: item[1]):  # sells first
        if change:
            side = "buy" if change > 0 else "sell"
            api.submit_order(symbol, qty=abs(change), side=side, type="market")


if __name__ == "__main__":
    trade(sys.argv[1:])
