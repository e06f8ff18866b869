"""Owns what a run gathers at the bell: the snapshot that it decides by, and the bars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from algotrader.adapters.artifacts import Artifacts
from algotrader.arming import warnings_of
from algotrader.errors import ConfigurationError
from algotrader.history import usable_bars
from algotrader.ids import desk_prefix
from algotrader.model import Asset, Bar, CorporateAction, Order, Snapshot
from algotrader.stop_sales import bell_before, stops_sold
from fetch_bars.books import Books, checkpoint_key, others_key, read_books
from fetch_bars.differences import compare
from fetch_bars.opening import Opening
from fetch_bars.performance import measured
from fetch_bars.switch import trading_state


def gather(
    opening: Opening, environ: Mapping[str, str], artifacts: Artifacts
) -> tuple[Snapshot, dict[str, tuple[Bar, ...]]]:
    """Ask the broker for all that the run decides by.

    Returns
    -------
    Snapshot, dict of str to tuple of Bar
        Bars of the deployed symbols; one that the desk still holds but that was taken out of the
        template has a price and no bars.

    Raises
    ------
    ConfigurationError
        ``SYMBOL_UNKNOWN``, ``SYMBOL_NOT_TRADABLE`` or ``ADJUSTMENTS_UNREADABLE``.
    InsufficientHistoryError, StaleBarsError
        See `algotrader.history`.
    """
    broker, settings, run = opening.broker, opening.settings, opening.run
    state, reason = trading_state(opening, environ)
    positions = broker.positions()
    listed = broker.open_orders()
    books = books_at_the_bell(opening, artifacts)
    own, foreign = own_and_foreign(listed, books, run.desk)
    actions = actions_since(opening, books)
    managed = {*settings.symbols, *books.ledger.holdings}
    compared = compare(broker, books, positions, managed, actions, run.session, settings.stack)
    assets = broker.assets(managed)
    _check_assets(settings.symbols, assets)
    bars = _bars(opening)
    snapshot = Snapshot(
        clock=opening.clock,
        session=opening.rung.session,
        previous_session=opening.rung.previous_session,
        trading_state=state,
        trading_state_reason=reason,
        account=opening.account,
        positions=compared.positions,
        own_open_orders=own,
        foreign_open_orders=foreign,
        prices=broker.latest_prices(managed, settings.data_feed),
        last_closes={name: Decimal(repr(each[-1].close)) for name, each in bars.items()},
        assets=assets,
        ledger=books.ledger,
        corporate_actions=actions,
        last_session_pnl=last_session_pnl(opening),
        warnings=(
            *books.warnings,
            *compared.warnings,
            *warnings_of(opening.arming, opening.clock.now),
        ),
        other_desks=compared.other_desks,
        causes=compared.causes,
        stopped=_stopped(opening, books),
    )
    snapshot = measured(opening, environ, artifacts, books, snapshot)
    if run.sends_orders:
        keep_checkpoints(books, artifacts)
    return snapshot, bars


def _stopped(opening: Opening, books: Books) -> tuple[Order, ...]:
    run, rung = opening.run, opening.rung
    since = bell_before(
        opening.clock.now, run.session, rung.previous_session, run.slot, opening.settings.slots
    )
    return stops_sold(books.orders, run.desk, since)


def keep_checkpoints(books: Books, artifacts: Artifacts) -> None:
    """Write the checkpoints, so that the next run need not fold all orders anew."""
    desk = books.ledger.desk
    if books.checkpoint is not None:
        artifacts.write(checkpoint_key(desk), books.checkpoint)
    if books.others_checkpoint is not None:
        artifacts.write(others_key(desk), books.others_checkpoint)


def books_at_the_bell(opening: Opening, artifacts: Artifacts) -> Books:
    """Read the books of all desks on the account, as of now and of the previous close."""
    rung = opening.rung
    return read_books(
        opening.broker,
        artifacts,
        opening.run.desk,
        opening.settings.symbols,
        opening.clock.now,
        (rung.previous_session + timedelta(days=1), opening.run.session),
        rung.previous_close,
    )


def actions_since(opening: Opening, books: Books) -> tuple[CorporateAction, ...]:
    """Give the corporate actions with an ex-date after the previous session and up to this one."""
    first, last = opening.rung.previous_session, opening.run.session
    return tuple(each for each in books.actions if first < each.ex_date <= last)


def own_and_foreign(
    listed: tuple[Order, ...], books: Books, desk: str
) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
    """Tell the desk's own open orders from all others, by their ids.

    The desk's own are those of its books, which the ledger was folded from: so no fill is counted
    that an open order does not show, and one in a status that the broker does not list as open is
    not traded beside.
    """
    prefix = desk_prefix(desk)
    own = {
        each.broker_id: each
        for each in (*listed, *books.orders)
        if each.client_order_id.startswith(prefix)
    }
    foreign = tuple(each for each in listed if not each.client_order_id.startswith(prefix))
    return tuple(each for each in own.values() if not each.is_terminal), foreign


def last_session_pnl(opening: Opening) -> Decimal | None:
    """Ask for the account's profit in the last full session before this one."""
    before = opening.rung.before_previous
    if before is None:
        return None
    return opening.broker.last_session_pnl(opening.rung.previous_session, before)


def _check_assets(symbols: tuple[str, ...], assets: Mapping[str, Asset]) -> None:
    unknown = [each for each in symbols if each not in assets]
    barred = [each for each in symbols if each in assets and not assets[each].tradable]
    if unknown or barred:
        raise ConfigurationError(
            "SYMBOL_UNKNOWN" if unknown else "SYMBOL_NOT_TRADABLE",
            "Mend the template's Symbols: the broker does not know these, or does not let them be "
            "traded. Nothing was traded.",
            symbols=", ".join((unknown or barred)[:10]),
            count=len(unknown or barred),
        )


def _bars(opening: Opening) -> dict[str, tuple[Bar, ...]]:
    settings, demand = opening.settings, opening.demand
    completed = opening.completed[-demand.sessions :]
    found = opening.broker.bars(
        settings.symbols, completed[0], completed[-1], settings.bars_feed, settings.adjustment
    )
    return usable_bars(found, settings.symbols, completed, demand)
