"""Owns what each kind of run gathers: to trade, to report, or to flatten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from algotrader.accounting.ex_dates import less_dividends
from algotrader.adapters.store import Store
from algotrader.errors import DeskError
from algotrader.model import Account, Bars, LatestPrice, Snapshot, TradingMode, TradingState
from algotrader.services.reconciliation import reconcile
from fetch_bars.fit_symbols import sort_symbols
from fetch_bars.measure import measure, measure_account
from fetch_bars.opening import Opening
from fetch_bars.snapshot import (
    PartialSnapshot,
    apply_restriction,
    keep_checkpoints,
    partial_snapshot,
    with_stops_over_actions,
)
from fetch_bars.stop_fills import stop_fills_to_report


def gather_to_trade(
    opening: Opening, environ: Mapping[str, str], store: Store
) -> tuple[Snapshot, dict[str, Bars]]:
    """Read everything that the run's decision depends on.

    Returns
    -------
    Snapshot, dict of str to Bars
        Bars cover only the fit symbols of the template and of the strategy's references. Their
        other symbols, and any others that the desk still holds, have prices but no bars.

    Raises
    ------
    ConfigurationError, InsufficientHistoryError, StaleBarsError
        ``ADJUSTMENTS_UNREADABLE``, or what `algotrader.session.fitness` raises.
    """
    broker, settings = opening.broker, opening.settings
    partial = partial_snapshot(opening, environ, store)
    books = partial.books
    managed = {*settings.symbols, *books.ledger.holdings}
    reconciled = _reconcile(opening, partial, managed)
    assets = broker.assets({*managed, *opening.reference})
    sorted_symbols = sort_symbols(opening, books, assets)
    snapshot = replace(
        reconciled,
        prices=broker.latest_prices({*assets, *books.ledger.holdings}, settings.data_feed),
        last_closes=less_dividends(
            sorted_symbols.last_closes, reconciled.corporate_actions, settings.adjustment
        ),
        assets=assets,
        unfit=sorted_symbols.unfit,
        stopped=stop_fills_to_report(opening, books, store),
    )
    snapshot = apply_restriction(measure(opening, environ, store, books, snapshot))
    snapshot = with_stops_over_actions(opening, books, snapshot)
    # A stack that only tries out would otherwise read all orders of the account in every run.
    if opening.run.sends_orders or settings.mode is TradingMode.DRY_RUN:
        keep_checkpoints(books, store)
    return snapshot, sorted_symbols.bars


def gather_to_report(opening: Opening, environ: Mapping[str, str], store: Store) -> Snapshot:
    """Read the account, the books, and the prices for profit and loss."""
    partial = partial_snapshot(opening, environ, store)
    holdings, feed = partial.books.ledger.holdings, opening.settings.data_feed
    snapshot = replace(
        partial.snapshot,
        prices=opening.broker.latest_prices(holdings, feed) if holdings else {},
        warnings=(*partial.snapshot.warnings, *_blocked(opening.account)),
    )
    snapshot = apply_restriction(measure(opening, environ, store, partial.books, snapshot))
    return with_stops_over_actions(opening, partial.books, snapshot)


def gather_to_flatten(opening: Opening, environ: Mapping[str, str], store: Store) -> Snapshot:
    """Read what the run needs to sell all holdings; market orders need no bars or prices."""
    broker, run = opening.broker, opening.run
    partial = partial_snapshot(opening, environ, store)
    if not run.sends_orders:
        partial = replace(partial, snapshot=_as_if_reducing(partial.snapshot))
    books = partial.books
    held = sorted(name for name, each in books.ledger.holdings.items() if each.qty != 0)
    reconciled = _reconcile(opening, partial, held)
    assets = broker.assets(held)
    prices, unknown = _prices(
        opening, held
    )  # last, because a slow data feed must not stop the sale
    snapshot = replace(
        reconciled,
        prices=prices,
        assets=assets,
        warnings=(*reconciled.warnings, *unknown),
        stopped=stop_fills_to_report(opening, books, store),
    )
    snapshot = measure_account(opening, store, snapshot)
    if run.sends_orders:
        keep_checkpoints(books, store)
    return apply_restriction(snapshot)


def _reconcile(opening: Opening, partial: PartialSnapshot, symbols: Iterable[str]) -> Snapshot:
    """Split the account's shares among their owners, and warn of missing shares."""
    snapshot = partial.snapshot
    found = reconcile(
        opening.broker,
        partial.books,
        snapshot.positions,
        symbols,
        snapshot.corporate_actions,
        opening.run.session,
        opening.settings.stack,
    )
    return replace(
        snapshot,
        positions=found.positions,
        warnings=(*snapshot.warnings, *found.warnings),
        other_desks=found.other_desks,
        causes=found.causes,
    )


def _blocked(account: Account) -> tuple[str, ...]:
    if not account.blocked_by:
        return ()
    flags = ", ".join(account.blocked_by)
    return (f"The broker blocks this account ({flags}), so the next trading run will fail.",)


def _as_if_reducing(snapshot: Snapshot) -> Snapshot:
    """Set the trading state to REDUCING for a dry run, as the command does for a real flatten."""
    state, reason = snapshot.trading_state, snapshot.trading_state_reason
    now = f"{state.value}: {reason}" if reason else state.value
    return replace(
        snapshot,
        trading_state=TradingState.REDUCING,
        trading_state_reason=f"as a flatten sets it, now {now}",
    )


def _prices(opening: Opening, symbols: list[str]) -> tuple[dict[str, LatestPrice], tuple[str, ...]]:
    """Read latest prices; if that fails, return a warning, because market orders need no prices."""
    try:
        return opening.broker.latest_prices(symbols, opening.settings.data_feed), ()
    except DeskError as error:
        return {}, (
            f"Latest prices could not be read ({error.code}). The flatten does not need them.",
        )
