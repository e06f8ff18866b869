"""Owns what every run reads first: the kill switch, the account, its orders, and the books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from algotrader.adapters.settings import read_trading_state
from algotrader.adapters.store import Store
from algotrader.decision.stops_over_actions import stops_at_risk, stops_canceled
from algotrader.model import CorporateAction, Order, Snapshot, TradingState
from algotrader.orders.ids import desk_prefix
from algotrader.orders.statuses import is_terminal
from algotrader.risk.arming import warnings_of
from algotrader.services.books import Books, checkpoint_key, others_key, read_books
from algotrader.session.trigger import Opened
from fetch_bars.opening import Opening


class PartialSnapshot(Struct, frozen=True):
    """A snapshot without market data, assets, and the last session's profit."""

    snapshot: Snapshot
    books: Books


def partial_snapshot(opening: Opening, environ: Mapping[str, str], store: Store) -> PartialSnapshot:
    """Read the kill switch, the account, and the books of all its desks."""
    broker, opened = opening.broker, opening.opened
    state, reason = _trading_state(opening, environ)
    positions = broker.positions()
    listed = broker.open_orders()
    books = read_books(
        broker,
        store,
        opening.run.desk,
        opening.settings.symbols,
        opening.clock.now,
        (opened.previous_session + timedelta(days=1), last_known_day(opened)),
        opened.previous_close,
    )
    # Actions with an ex-date after the previous session, up to this one.
    actions = tuple(
        each
        for each in books.actions
        if opened.previous_session < each.ex_date <= opening.run.session
    )
    own, foreign = own_and_foreign(listed, books, opening.run.desk)
    snapshot = Snapshot(
        clock=opening.clock,
        session=opened.session,
        previous_session=opened.previous_session,
        next_session=None if opened.next_session is None else opened.next_session.date,
        trading_state=state,
        trading_state_reason=reason,
        account=opening.account,
        positions=positions,
        own_open_orders=own,
        foreign_open_orders=foreign,
        prices={},
        last_closes={},
        assets={},
        ledger=books.ledger,
        corporate_actions=actions,
        last_session_pnl=None,
        closures=opening.closures,
        warnings=(*opening.notes, *books.warnings, *warnings_of(opening.arming, opening.clock.now)),
    )
    return PartialSnapshot(snapshot, books)


def last_known_day(opened: Opened) -> date:
    """Return the last day of the corporate actions to read: that of the next session."""
    following = opened.next_session
    return opened.session.date if following is None else following.date


def with_stops_over_actions(opening: Opening, books: Books, snapshot: Snapshot) -> Snapshot:
    """Add the stops that a corporate action of the next session puts at risk, and a warning.

    A report also adds the stops that the desk has canceled for an action and not placed again.
    After the ex-date, only a halted desk does so, because any other desk's trading runs report a
    missing stop.
    """
    opened = opening.opened
    first, last = opened.session.date, last_known_day(opened)
    ahead = [each for each in books.actions if first < each.ex_date <= last]
    at_risk = stops_at_risk(snapshot.own_open_orders, ahead, snapshot.prices)
    canceled = {}
    if opening.report_only:
        following = () if opened.next_session is None else (opened.next_session,)
        is_halted = snapshot.trading_state is TradingState.HALTED
        canceled = stops_canceled(
            books.ledger,
            books.orders,
            [each for each in books.actions if is_halted or each.ex_date >= first],
            (*opening.completed, opened.session, *following),
            snapshot.prices,
        )
    return replace(
        snapshot,
        stops_at_risk=at_risk,
        stops_canceled=canceled,
        warnings=(*snapshot.warnings, *_stop_warnings(snapshot, at_risk)),
    )


def _stop_warnings(snapshot: Snapshot, at_risk: Mapping[str, CorporateAction]) -> Iterator[str]:
    """Warn before the close; after it, the messages say what became of each stop."""
    if snapshot.is_after_close:
        return
    for symbol, action in sorted(at_risk.items()):
        yield (
            f"{symbol} has a {action.description}. Today's scheduled report cancels the stop, "
            "unless the desk is halted by then. If you turned that report off, cancel the stop "
            "yourself after the close, because it may sell at the open."
        )


def own_and_foreign(
    listed: tuple[Order, ...], books: Books, desk: str
) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
    """Separate the desk's own open orders from all others, by their ids.

    The desk's orders also come from its books, because the ledger counts their fills. So an open
    order shows every fill that the ledger counts. The books also keep an order that is not yet
    terminal but that the broker no longer lists as open.
    """
    prefix = desk_prefix(desk)
    own = {
        each.broker_id: each
        for each in (*listed, *books.orders)
        if each.client_order_id.startswith(prefix)
    }
    foreign = tuple(each for each in listed if not each.client_order_id.startswith(prefix))
    return tuple(each for each in own.values() if not is_terminal(each)), foreign


def keep_checkpoints(books: Books, store: Store) -> None:
    """Write the checkpoints, so the next run need not read all old orders again."""
    desk = books.ledger.desk
    if books.checkpoint is not None:
        store.write(checkpoint_key(desk), books.checkpoint)
    if books.others_checkpoint is not None:
        store.write(others_key(desk), books.others_checkpoint)


def apply_restriction(snapshot: Snapshot) -> Snapshot:
    """Let the run only sell, with a warning, if the broker would reject its buys.

    The kill switch stays unchanged, so the desk buys again once the broker lifts the restriction.
    Call this after `measure`, which sets the kill switch only if the snapshot is ACTIVE.
    """
    reasons = ", ".join(snapshot.account.only_sells_for)
    if not reasons:
        return snapshot
    warning = (
        f"The broker lets this account only sell ({reasons}), so the desk buys nothing. Check the "
        "account on Alpaca's dashboard, or contact Alpaca support."
    )
    warned = replace(snapshot, warnings=(*snapshot.warnings, warning))
    if snapshot.trading_state is not TradingState.ACTIVE:
        return warned
    reason = f"account may only sell: {reasons}"
    return replace(warned, trading_state=TradingState.REDUCING, trading_state_reason=reason)


def _trading_state(opening: Opening, environ: Mapping[str, str]) -> tuple[TradingState, str]:
    """Read the trading state and its reason; halt a live desk that is not armed."""
    name = environ["TRADING_STATE_PARAMETER"]
    state, reason = read_trading_state(name, opening.settings.mode)
    arming = opening.arming
    if arming is not None and arming.problem and state is not TradingState.HALTED:
        return TradingState.HALTED, arming.problem
    return state, reason
