"""Owns what every run that goes on asks first: the switch, the account, its orders, the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from algotrader.adapters.store import Store
from algotrader.model import CorporateAction, Order, Snapshot
from algotrader.orders.ids import desk_prefix
from algotrader.risk.arming import warnings_of
from algotrader.services.books import Books, checkpoint_key, others_key, read_books
from fetch_bars.opening import Opening
from fetch_bars.switch import trading_state


@dataclass(frozen=True, slots=True)
class PartialSnapshot:
    """What stands before anything is asked of the market.

    Attributes
    ----------
    snapshot : Snapshot
        Without prices, closes, assets and the last session's profit, which not every run needs.
    """

    snapshot: Snapshot
    books: Books


def scene_of(opening: Opening, environ: Mapping[str, str], store: Store) -> PartialSnapshot:
    """Read the switch, the account and the books of all desks on it."""
    broker, rung = opening.broker, opening.rung
    state, reason = trading_state(opening, environ)
    positions = broker.positions()
    listed = broker.open_orders()
    books = _books_at_the_bell(opening, store)
    own, foreign = own_and_foreign(listed, books, opening.run.desk)
    snapshot = Snapshot(
        clock=opening.clock,
        session=rung.session,
        previous_session=rung.previous_session,
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
        corporate_actions=_actions_since(opening, books),
        last_session_pnl=None,
        warnings=(*books.warnings, *warnings_of(opening.arming, opening.clock.now)),
    )
    return PartialSnapshot(snapshot, books)


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


def keep_checkpoints(books: Books, store: Store) -> None:
    """Write the checkpoints, so that the next run need not fold all orders again."""
    desk = books.ledger.desk
    if books.checkpoint is not None:
        store.write(checkpoint_key(desk), books.checkpoint)
    if books.others_checkpoint is not None:
        store.write(others_key(desk), books.others_checkpoint)


def _books_at_the_bell(opening: Opening, store: Store) -> Books:
    """Read the books of all desks on the account, as of now and of the previous close."""
    rung = opening.rung
    return read_books(
        opening.broker,
        store,
        opening.run.desk,
        opening.settings.symbols,
        opening.clock.now,
        (rung.previous_session + timedelta(days=1), opening.run.session),
        rung.previous_close,
    )


def _actions_since(opening: Opening, books: Books) -> tuple[CorporateAction, ...]:
    """Return the corporate actions with an ex-date after the previous session and up to this
    one.
    """
    first, last = opening.rung.previous_session, opening.run.session
    return tuple(each for each in books.actions if first < each.ex_date <= last)
