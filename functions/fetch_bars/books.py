"""Owns the desk's books at the bell: its ledger, carried on from the checkpoint in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from algotrader import ledger as books
from algotrader.adapters.artifacts import Artifacts
from algotrader.errors import InvalidInputError
from algotrader.ids import desk_prefix
from algotrader.model import CorporateAction, Ledger, Order
from fetch_bars.opening import Opening


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger now, what happened to its symbols, and what could not be learned.

    Attributes
    ----------
    before : Ledger or None
        The ledger at the previous close, with that day's quantities; None when the checkpoint is
        newer.
    actions : tuple of CorporateAction
        Those with an ex-date after the previous session and up to this one.
    checkpoint : Ledger or None
        A newer checkpoint to be kept; None when there is none to make.
    """

    ledger: Ledger
    before: Ledger | None
    actions: tuple[CorporateAction, ...]
    checkpoint: Ledger | None
    warnings: tuple[str, ...]


def checkpoint_key(desk: str) -> str:
    """Give the key of a desk's ledger checkpoint."""
    return f"ledger/{desk}.json"


def keep_books(opening: Opening, artifacts: Artifacts) -> Books:
    """Fold the desk's own orders and splits since the checkpoint into its ledger."""
    run, now = opening.run, opening.clock.now
    start, warnings = _checkpoint(artifacts, run.desk)
    prefix = desk_prefix(run.desk)
    orders = [
        each
        for each in opening.broker.orders_after(start.through)
        if each.client_order_id.startswith(prefix)
    ]
    symbols = {*opening.settings.symbols, *start.holdings, *(each.symbol for each in orders)}
    actions = _actions(opening, start, orders, symbols)
    if actions is None:
        warnings.append(
            "The broker does not list corporate actions: a split would not be seen beforehand."
        )
    known = actions or ()
    # What the broker lists is owned, also where its clock lags behind the stamps of its orders.
    ledger = books.fold(start, orders, known, max([now, *(each.submitted_at for each in orders)]))
    through = books.settled_through(start, orders, now)
    # Without the list of splits a checkpoint would lose those that lie before it for ever.
    is_settled = through is not None and actions is not None
    return Books(
        ledger=ledger,
        before=_at_close(start, orders, known, opening.rung.previous_close),
        actions=tuple(
            each for each in known if opening.rung.previous_session < each.ex_date <= run.session
        ),
        checkpoint=books.fold(start, orders, known, through) if is_settled and through else None,
        warnings=tuple(warnings),
    )


def _at_close(
    start: Ledger,
    orders: Iterable[Order],
    actions: Iterable[CorporateAction],
    close: datetime,
) -> Ledger | None:
    if start.through is not None and start.through > close:
        return None
    filled = (each for each in orders if (each.filled_at or each.submitted_at) <= close)
    return books.fold(start, filled, actions, close)


def _checkpoint(artifacts: Artifacts, desk: str) -> tuple[Ledger, list[str]]:
    try:
        found = artifacts.read(checkpoint_key(desk), Ledger)
    except (InvalidInputError, ValueError):
        return books.empty(desk), [
            f"{checkpoint_key(desk)} could not be read; the ledger was rebuilt from all orders."
        ]
    if found is None or found.desk != desk:
        return books.empty(desk), []
    return found, []


def _actions(
    opening: Opening, start: Ledger, orders: Iterable[Order], symbols: Iterable[str]
) -> tuple[CorporateAction, ...] | None:
    since: list[date] = [opening.rung.previous_session + timedelta(days=1)]
    if start.through is not None:
        since.append(start.through.date())
    else:
        since.extend(each.submitted_at.date() for each in orders)
    return opening.broker.corporate_actions(symbols, min(since), opening.run.session)
