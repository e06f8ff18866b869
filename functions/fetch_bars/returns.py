"""Owns the benchmark's prices for the returns, and the summary that is kept for each session."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from algotrader.accounting.returns import BenchmarkPrices, sessions_needed
from algotrader.adapters.store import Store
from algotrader.errors import DeskError
from algotrader.model import Performance, SessionSummary, Snapshot, Track
from algotrader.model.units import finite
from algotrader.orders.pricing import usable_price
from algotrader.services.books import summary_key
from algotrader.session.trigger import NEW_YORK
from fetch_bars.opening import Opening


def read_benchmark(opening: Opening, known: Track | None) -> BenchmarkPrices:
    """Read the benchmark's dividend-adjusted closes and latest price; only messages need them."""
    symbol = opening.settings.benchmark
    if not symbol:
        return BenchmarkPrices("", {}, None)
    broker, settings, previous = opening.broker, opening.settings, opening.opened.previous_session
    first = sessions_needed(known, symbol, previous)
    try:
        sessions = tuple(each for each in opening.completed if first <= each.date <= previous)
        if not sessions or sessions[0].date > first:
            sessions = broker.sessions(first, previous)
        bars = broker.bars({symbol}, sessions, settings.bars_feed, "all") if sessions else {}
        latest = broker.latest_prices({symbol}, settings.data_feed).get(symbol)
    except DeskError:
        return BenchmarkPrices(symbol, {}, None)
    closes: dict[date, Decimal] = {}
    for each in bars.values():
        for at, close in zip(each.at, each.close, strict=True):
            price = finite(Decimal(repr(close)))
            if price > 0:
                closes[at.astimezone(NEW_YORK).date()] = price
    # The broker may return a trade that is months old.
    is_new = latest is not None and latest.at >= opening.opened.previous_close
    return BenchmarkPrices(symbol, closes, usable_price(latest) if is_new else None)


def keep_summary(
    store: Store, opening: Opening, snapshot: Snapshot, track: Track, performance: Performance
) -> None:
    """Write the session's summary, unless a later run of the session has written it."""
    run = opening.run
    summary = SessionSummary(
        desk=run.desk,
        session=run.session,
        at=track.at,
        run_id=run.run_id,
        strategy=opening.settings.strategy,
        equity=snapshot.account.equity,
        account_profit=snapshot.since_close_pnl,
        desk_profit=performance.desk_profit,
        worth=track.worth,
        index=track.index,
        benchmark=performance.benchmark,
        returns=performance.returns,
        holdings={symbol: each.qty for symbol, each in snapshot.ledger.holdings.items()},
    )

    def newest(known: SessionSummary | None) -> SessionSummary | None:
        return summary if known is None or known.at < summary.at else None

    store.update(summary_key(run.desk, run.session), SessionSummary, newest)
