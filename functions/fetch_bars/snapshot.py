"""Owns what every run reads first: the kill switch, the account, its orders, and the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from algotrader.adapters.settings import read_trading_state
from algotrader.adapters.store import Store
from algotrader.model import Order, Snapshot, TradingState
from algotrader.orders.ids import desk_prefix
from algotrader.orders.statuses import is_terminal
from algotrader.risk.arming import warnings_of
from algotrader.services.books import Books, checkpoint_key, others_key, read_books
from fetch_bars.opening import Opening


@dataclass(frozen=True, slots=True)
class PartialSnapshot:
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
        (opened.previous_session + timedelta(days=1), opening.run.session),
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
        warnings=(*books.warnings, *warnings_of(opening.arming, opening.clock.now)),
    )
    return PartialSnapshot(snapshot, books)


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


def last_session_pnl(opening: Opening) -> Decimal | None:
    """Read the account's profit of the previous session, in dollars."""
    before = opening.opened.before_previous
    if before is None:
        return None
    return opening.broker.last_session_pnl(opening.opened.previous_session, before)


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
        "account on Alpaca's dashboard, or ask Alpaca's support."
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
