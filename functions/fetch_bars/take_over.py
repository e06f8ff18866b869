"""Owns the take-over of a run: how it continues an earlier execution's decision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from algotrader.accounting.account_changes import account_changes, settings_changes
from algotrader.adapters.execution_history import results_of
from algotrader.adapters.run_lock import decision_key
from algotrader.adapters.store import Store
from algotrader.broker import LISTING_MARGIN, Broker
from algotrader.contracts import (
    Artifact,
    DecideOrdersResult,
    FetchBarsResult,
    decode,
    decode_versioned,
    is_current,
    sha256_of,
)
from algotrader.errors import (
    ConfigurationError,
    DecisionConflictError,
    DeskError,
    InvalidInputError,
)
from algotrader.model import Decision, Order, Run, Settings, Snapshot
from algotrader.orders.ids import desk_prefix
from fetch_bars.exclusivity import is_overtaken
from fetch_bars.opening import Opening

FETCH_BARS, DECIDE_ORDERS = "Fetch Bars", "Decide Orders"
#: A fill between two reads makes the run read the account again, at most this many times.
ACCOUNT_READINGS = 3
_MOST_NAMED = 4


class PriorRun(Struct, frozen=True):
    """What an earlier execution fetched and decided, from its history.

    Attributes
    ----------
    is_current : bool
        Whether the execution used this code's contract version, not the previous one.
    """

    run: Run
    settings: Artifact
    fetched: FetchBarsResult
    decision: Decision
    is_current: bool


def take_over(opening: Opening, holders: Iterable[str], store: Store) -> FetchBarsResult | None:
    """Continue an earlier execution's run if it has stored a decision; otherwise return None.

    The same snapshot, bars and deadline give the same decision and orders. The step reads them from
    Step Functions' history, because others may be able to write to the bucket. The deadline becomes
    now if the contract, the deployed settings or the account changed, if another run traded, or if
    a live desk is not armed. Then the run settles the orders already sent and sends no new ones.

    Parameters
    ----------
    holders : iterable of str
        The executions that have or had the run's claim.

    Raises
    ------
    DecisionConflictError
        ``DECISION_UNPROVEN`` if no execution of the run made the decision in the journal,
        ``DECISION_LOST`` if the journal has no decision but the run has sent orders.
    ConfigurationError, InvalidInputError
        ``DEPLOYED_DURING_RUN``, ``RUN_OF_ANOTHER_DESK``, ``RUN_DECIDED_MORE``.
    """
    run = opening.run
    try:
        stored = store.read(decision_key(run), dict[str, Any])
    except InvalidInputError as error:
        raise _unproven(run) from error
    if stored is None:
        _check_nothing_was_sent(opening)
        return None
    prior = _prior_run(run, stored, holders)
    if (prior.run.desk, prior.run.mode) != (run.desk, run.mode):
        raise ConfigurationError(
            "RUN_OF_ANOTHER_DESK",
            "The stack had another account or mode when this run decided. To finish the run, "
            "deploy that account and mode again. Otherwise let the next session trade.",
            run_id=run.run_id,
            begun_by=f"{prior.run.desk}/{prior.run.mode.value}",
            deployed=f"{run.desk}/{run.mode.value}",
        )
    may_enter = run.may_enter(opening.settings.symbols)
    beyond = sorted({each.symbol for each in prior.decision.entries}.difference(may_enter))
    if beyond:
        raise InvalidInputError(
            "RUN_DECIDED_MORE",
            "A run decides only once, and this run's decision also buys these symbols. Start the "
            "run again with its first input and Symbols, or let the next session trade.",
            run_id=run.run_id,
            symbols=", ".join(beyond[:10]),
        )
    mine = replace(prior.run, execution_arn=run.execution_arn)
    if reason := _reason_to_end(opening, prior, store):
        deadline = min(mine.deadline, opening.clock.now)
        mine = replace(mine, deadline=deadline, ended_because=reason)
    return FetchBarsResult(
        outcome="FLATTEN" if run.is_flatten else "CANCEL_STOPS" if run.is_report else "OPEN",
        message=f"Run {run.run_id} continues with its stored decision.",
        run=mine,
        settings=prior.settings,
        bars=prior.fetched.bars,
        snapshot=prior.fetched.snapshot,
    )


def _check_nothing_was_sent(opening: Opening) -> None:
    """Check that a run without a stored decision has sent no orders.

    A run stores its decision before its first order. If it has sent one, somebody deleted the
    decision, and a second decision could buy up to the limits again.
    """
    run = opening.run
    prefix = f"{desk_prefix(run.desk)}{run.run_id}-"
    for order in opening.broker.orders_after(opening.opened.session.open - LISTING_MARGIN):
        if order.client_order_id.startswith(prefix):
            raise DecisionConflictError(
                "DECISION_LOST",
                "This run has sent orders, but its decision is missing from the journal. Nothing "
                "more was sent. Check the orders at your broker, and find out who can delete "
                "objects from the bucket. The next session starts a new run.",
                run_id=run.run_id,
                journal=decision_key(run),
                client_order_id=order.client_order_id,
            )


def _prior_run(run: Run, stored: dict[str, Any], holders: Iterable[str]) -> PriorRun:
    """Find the execution of this run that made the decision in the journal."""
    stored_decision = {name: value for name, value in stored.items() if name != "contract"}
    problem: DeskError = _unproven(run)
    machine = run.execution_arn.rpartition(":")[0]
    for holder in holders:
        if holder.rpartition(":")[0] != machine:
            continue
        found = results_of(holder, (FETCH_BARS, DECIDE_ORDERS))
        if len(found) < len((FETCH_BARS, DECIDE_ORDERS)):
            continue
        try:
            fetched = decode_versioned(FetchBarsResult, found[FETCH_BARS], FETCH_BARS)
        except ConfigurationError as error:
            problem = error  # another holder, with a readable contract, may have made the decision
            continue
        decided = decode(DecideOrdersResult, found[DECIDE_ORDERS], DECIDE_ORDERS).decision
        began = fetched.run
        if began is None or fetched.settings is None:
            continue
        is_this_run = (began.run_id, began.journal) == (run.run_id, run.journal)
        digest = decided.sha256 or sha256_of(decided.inline)
        if is_this_run and began.sends_orders and digest == sha256_of(stored_decision):
            return PriorRun(
                run=began,
                settings=fetched.settings,
                fetched=fetched,
                decision=decode(Decision, stored_decision, decision_key(run)),
                is_current=is_current(found[FETCH_BARS], FETCH_BARS),
            )
    raise problem


def _unproven(run: Run) -> DecisionConflictError:
    return DecisionConflictError(
        "DECISION_UNPROVEN",
        "No execution of this run made the decision in the journal, so nothing was sent. Find out "
        "who can write to the bucket. The next session starts a new run.",
        run_id=run.run_id,
        journal=decision_key(run),
    )


def _reason_to_end(opening: Opening, prior: PriorRun, store: Store) -> str:
    """Return why the run must send no more orders, or an empty string if it may."""
    if not prior.is_current:
        return "a deploy changed what the steps pass to each other"
    if opening.arming is not None and opening.arming.until is None:
        return "the desk is not armed"
    if is_overtaken(prior.run, store):
        return "another run has traded since then"
    changed = settings_changes(store.get(prior.settings, Settings), opening.settings)
    if changed:
        return f"a deploy changed {_some(changed)}"
    if prior.fetched.snapshot is None:
        return "the run's snapshot is missing"
    snapshot = store.get(prior.fetched.snapshot, Snapshot)
    changes = _account_changes(opening.broker, prior, snapshot)
    return f"the account changed: {_some(changes)}" if changes else ""


def _account_changes(broker: Broker, prior: PriorRun, snapshot: Snapshot) -> tuple[str, ...]:
    """Compare the account with the run's snapshot; read again if an order fills in between."""
    orders = _orders_now(broker, prior)
    changes: tuple[str, ...] = ()
    for _ in range(ACCOUNT_READINGS):
        account, positions = broker.account(), broker.positions()
        again = _orders_now(broker, prior)
        changes = account_changes(prior.decision, snapshot, account, positions, again)
        if not changes:
            return ()
        if _fills(orders) == _fills(again):
            return changes
        orders = again
    return changes


def _orders_now(broker: Broker, prior: PriorRun) -> tuple[Order, ...]:
    listed = broker.orders_after(prior.run.started_at - LISTING_MARGIN)
    found = {each.client_order_id for each in listed}
    older = [broker.order(each) for each in prior.decision.cancels if each not in found]
    return (*listed, *(each for each in older if each is not None))


def _fills(orders: Iterable[Order]) -> dict[str, object]:
    return {each.broker_id: each.filled_qty for each in orders}


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
