"""Owns what somebody may change after one execution dies and before the next one starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec import structs

from algotrader.adapters.adjustments import ADJUSTMENTS_KEY
from algotrader.adapters.run_lock import finish
from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import get_bars
from algotrader.contracts import CONTRACT_VERSION, Artifact, canonical_json, encode, stamp_version
from algotrader.model import TradingMode
from fetch_bars.take_over import DECIDE_ORDERS, FETCH_BARS
from tests.faults.market import (
    MACHINE,
    PRICES,
    SESSIONS,
    SETTINGS,
    STARTED,
    decision_of,
    run_of,
)
from tests.faults.simulation import HELD, Execution
from tests.faults.whole import FORGED, WholeMachine, arn_of, environment, inputs_of
from tests.faults.wire import BUCKET

#: How far an execution got: before the stored decision, after it, or after the first order.
STAGES = ("undecided", "decided", "sent")
JOURNAL = run_of("", 1, STARTED).journal
CLAIM, FETCHED, DECISION = (f"{JOURNAL}{each}.json" for each in ("claim", "fetched", "decision"))
DEPOSIT = Decimal(1000)
FILLED_SECONDS = 5  # by then the broker has filled every order
OTHER, STRANGER = f"{MACHINE}:other", f"{MACHINE.removesuffix('desk')}stranger:1"

Act = Callable[[WholeMachine], None]


@dataclass(frozen=True, slots=True)
class Change:
    """A change after an execution's death.

    Attributes
    ----------
    act : callable
        Makes the change.
    wanted : tuple of str
        How the run must end, by stage: ``exact`` or ``named`` as in the oracle, ``ended`` if it
        must send nothing more, or an error code. ``or`` separates alternatives. The suite skips
        the change at a stage with an empty text.
    note : str
        The cause that the oracle reads.
    reason : str
        How the reason for sending nothing more begins.
    allows_another : bool
        Whether the run may make another decision after it has sent orders.
    """

    name: str
    act: Act
    wanted: tuple[str, str, str]
    note: str = "forged"
    reason: str = ""
    allows_another: bool = False


def _nothing(_machine: WholeMachine) -> None:
    pass


def _at_once(machine: WholeMachine) -> None:
    machine.pause_seconds = 0.0


def _report_failure(machine: WholeMachine) -> None:
    """Mark the claim the way Notify does when a run fails."""
    run = machine.first.run
    assert run is not None
    assert finish(Store(BUCKET), run, "failed")


# -- the journal -----------------------------------------------------------------------------------


def _put(content: bytes, *keys: str) -> Act:
    def act(machine: WholeMachine) -> None:
        machine.world.state.bucket |= dict.fromkeys(keys, content)

    return act


def _delete(*keys: str) -> Act:
    def act(machine: WholeMachine) -> None:
        for key in keys:
            machine.world.state.bucket.pop(key, None)

    return act


def _alter(key: str, change: Callable[[Any], None]) -> Act:
    def act(machine: WholeMachine) -> None:
        found = json.loads(machine.world.state.bucket[key])
        change(found)
        machine.world.state.bucket[key] = json.dumps(found).encode()

    return act


def _claim(**fields: object) -> Act:
    return _alter(CLAIM, lambda claim: claim.update(fields))


def _neighbor(at: str) -> Act:
    """Store the claim of another run in the same session."""
    other = run_of("", 1, STARTED).run_id.replace("day", "1030")
    claim = {"execution_arn": OTHER, "state": "done", "at": at}
    return _put(json.dumps(claim).encode(), f"runs/{SESSIONS[2]}/{other}/claim.json")


def _widen(fetched: Any) -> None:
    fetched["settings"]["max_order_notional"] = "1000000000"
    fetched["settings"]["max_turnover"] = "100"
    _delay(fetched)


def _delay(fetched: Any) -> None:
    fetched["run"]["deadline"] = "2024-03-06T20:59:00Z"


def _double(bars: Any) -> None:
    for each in bars.values():
        each["close"] = [2 * close for close in each["close"]]


def _forge_decision(machine: WholeMachine) -> None:
    machine.world.state.bucket[DECISION] = canonical_json(stamp_version(machine.decision(FORGED)))


def _forge_symbol(machine: WholeMachine) -> None:
    true = machine.decision(0)
    bought = true.entries[0]
    other = structs.replace(
        bought,
        symbol="GOLF",
        client_order_id=bought.client_order_id.replace(bought.symbol, "GOLF"),
    )
    forged = structs.replace(true, entries=(*true.entries, other))
    machine.world.state.bucket[DECISION] = canonical_json(stamp_version(forged))


def _repeat_decision(machine: WholeMachine) -> None:
    """Store the previous day's decision, and name its execution in the claim."""
    run, fetched = run_of(machine.world.account_number, 1, STARTED), encode(machine.first)
    before = structs.replace(
        run,
        session=SESSIONS[1],
        run_id=f"{SESSIONS[1]}-day",
        journal=f"runs/{SESSIONS[1]}/{SESSIONS[1]}-day/",
    )
    decision = decision_of(before, 0, machine.world.scenario)
    machine.world.state.bucket[DECISION] = canonical_json(stamp_version(decision))
    handed_on = {"inline": encode(decision)}
    decided = {"outcome": "SUBMIT", "decision": handed_on, "plan": handed_on}
    results = {FETCH_BARS: fetched | {"run": encode(before)}, DECIDE_ORDERS: decided}
    machine.world.state.executions[OTHER] = Execution("FAILED", results)
    _claim(earlier=[OTHER])(machine)


def _never_decided(machine: WholeMachine) -> None:
    """Add an earlier execution that died before it decided."""
    results = {FETCH_BARS: encode(machine.first)}
    machine.world.state.executions[OTHER] = Execution("FAILED", results)
    _claim(earlier=[OTHER])(machine)


def _forge_journal(machine: WholeMachine) -> None:
    """Store other bars, a later deadline, and the decision that follows from the bars."""
    bars = encode(get_bars(Store(BUCKET), machine.first.bars or Artifact()))
    _double(bars)
    _alter(FETCHED, _delay)(machine)
    _alter(FETCHED, lambda fetched: fetched.update(bars={"inline": bars}))(machine)
    _forge_decision(machine)
    fetched = json.loads(machine.world.state.bucket[FETCHED])
    handed_on = {"bars": Artifact(inline=bars), "snapshot": Artifact(inline=fetched["snapshot"])}
    machine.forged = inputs_of(structs.replace(machine.first, **handed_on))


def _alter_state(name: str) -> Act:
    """Alter a value that one step passed to the next through the bucket."""

    def act(machine: WholeMachine) -> None:
        for key, content in machine.world.state.bucket.items():
            if key.startswith(f"{JOURNAL}states/{name}-"):
                machine.world.state.bucket[key] = content.replace(b"1", b"2")

    return act


def _ledger(content: bytes | None) -> Act:
    """Store a checkpoint of the books; the default one also contains the user's shares."""

    def act(machine: WholeMachine) -> None:
        key = f"ledger/{machine.world.desk}.json"
        found = json.loads(machine.world.state.bucket[key])
        for symbol, qty in HELD.items():
            found["holdings"][symbol] = {"qty": str(qty), "cost": "1"}
        machine.world.state.bucket[key] = content or json.dumps(found).encode()

    return act


# -- the deployment and the account ----------------------------------------------------------------


def _deploy(**settings: Any) -> Act:
    def act(machine: WholeMachine) -> None:
        machine.environ = environment(structs.replace(SETTINGS, **settings))

    return act


def _begin_with(contract: int) -> Act:
    """Pretend that an older version of the functions began the run."""

    def act(machine: WholeMachine) -> None:
        machine.world.state.executions[arn_of(1)].results[FETCH_BARS]["contract"] = contract

    return act


def _deploy_live(machine: WholeMachine) -> None:
    number = machine.world.account_number
    _deploy(mode=TradingMode.LIVE, live_account_number=number)(machine)


def _trade(symbol: str, side: str) -> Act:
    """Trade one share by hand when no open order is left that would make it a wash trade."""

    def act(machine: WholeMachine) -> None:
        machine.world.sleep(FILLED_SECONDS)
        machine.world.deposit(DEPOSIT)
        assert machine.world.by_hand(symbol, side, Decimal(1))

    return act


def _deposit(machine: WholeMachine) -> None:
    machine.world.deposit(DEPOSIT)


def _all() -> tuple[Change, ...]:
    exact = ("exact", "exact", "exact")
    duplicate = ("DUPLICATE",) * 3
    unreadable, invalid = ("OBJECT_UNREADABLE",) * 3, ("STATE_INVALID",) * 3
    forged = ("DECISION_UNPROVEN",) * 3
    unproven = ("exact", "DECISION_UNPROVEN", "DECISION_UNPROVEN")
    ended = ("", "ended", "ended")
    replaced = ("DEPLOYED_DURING_RUN",) * 2
    corrupt, empty = b'{"', b"{}"
    unchanged = (
        Change("nothing", _nothing, exact, ""),
        Change("nothing, without a pause", _at_once, exact, ""),
        Change("nothing, failure reported", _report_failure, exact, ""),
    )
    claims = (
        ("of nobody", _claim(execution_arn=OTHER, state="failed"), unproven),
        ("of a stranger", _claim(execution_arn=STRANGER, state="failed"), unproven),
        ("of a living stranger", _claim(execution_arn=STRANGER), duplicate),
        (
            "of nobody, after the first",
            _claim(execution_arn=OTHER, state="failed", earlier=[arn_of(1)]),
            exact,
        ),
        ("after one that never decided", _never_decided, exact),
        ("done", _claim(state="done"), duplicate),
        ("not JSON", _put(corrupt, CLAIM), unreadable),
        ("empty", _put(empty, CLAIM), invalid),
        ("without an offset", _claim(at="2024-03-06T14:35:00"), invalid),
        ("deleted", _delete(CLAIM), unproven),
    )
    gathered = (
        ("fetched forged", _alter(FETCHED, _widen), exact),
        ("fetched corrupt", _put(corrupt, FETCHED), exact),
        ("fetched deleted", _delete(FETCHED), exact),
        ("settings altered", _alter_state("settings"), ("exact", *("ARTIFACT_INVALID",) * 2)),
        ("snapshot altered", _alter_state("snapshot"), ("exact", *("ARTIFACT_INVALID",) * 2)),
        ("bars altered", _alter_state("bars"), ("exact", *("ARTIFACT_INVALID",) * 2)),
        ("ledger forged", _ledger(None), exact),
        ("ledger corrupt", _ledger(corrupt), exact),
        ("ledger empty", _ledger(empty), exact),
        (
            "adjustments corrupt",
            _put(corrupt, ADJUSTMENTS_KEY),
            ("ADJUSTMENTS_UNREADABLE", "exact", "exact"),
        ),
    )
    lost = ("exact", "exact", "DECISION_LOST")
    decisions = (
        ("decision forged", _forge_decision, forged),
        ("decision forged, another symbol", _forge_symbol, forged),
        ("decision of another run", _repeat_decision, forged),
        ("decision not JSON", _put(corrupt, DECISION), forged),
        ("decision empty", _put(empty, DECISION), forged),
        ("decision deleted", _delete(DECISION), lost),
        ("journal forged", _forge_journal, forged),
    )
    others = (
        Change(
            "another run, forged",
            _neighbor("2024-03-06T15:00:00Z"),
            ("exact", "ended", "ended"),
            reason="another run has traded",
        ),
        Change(
            "another run, without an offset",
            _neighbor("2024-03-06T15:00:00"),
            ("exact", "STATE_INVALID", "STATE_INVALID"),
        ),
        Change(
            "decision of another contract",
            _alter(DECISION, lambda decision: decision.update(contract=99)),
            ("", *replaced),
        ),
    )
    deployments = (
        ("MaxOrderNotional", _deploy(max_order_notional=Decimal(90_000))),
        ("RunDeadlineSeconds", _deploy(run_deadline_seconds=3600)),
        ("Symbols", _deploy(symbols=tuple(each for each in PRICES if each != "CHAR"))),
        ("StrategyParameters", _deploy(strategy_parameters={"fast": 10})),
        ("Strategy", _deploy(strategy="momentum_rotation")),
    )
    account = (
        ("bought by hand", _trade("FOXT", "buy")),
        ("sold by hand", _trade("CHAR", "sell")),
    )
    return (
        *unchanged,
        *(Change(f"claim {name}", act, wanted) for name, act, wanted in claims),
        *(Change(*each) for each in gathered),
        *(Change(*each) for each in decisions),
        Change(
            "decision and claim deleted",
            _delete(DECISION, CLAIM),
            ("exact", "exact", "exact or ORDER_CONFLICT or PLAN_CONFLICT"),
            # The run decides again, bound only by the order ids that are already taken. On AWS the
            # bucket's policy denies both deletions.
            allows_another=True,
        ),
        *others,
        *(
            Change(f"deployed {name}", act, ended, "deployed", f"a deploy changed {name}")
            for name, act in deployments
        ),
        Change(
            "deployed the next contract",
            _begin_with(CONTRACT_VERSION - 1),
            ended,
            "deployed",
            "a deploy changed what the steps pass",
        ),
        Change("deployed a later contract", _begin_with(-1), ("", *replaced), "deployed"),
        Change(
            "deployed fewer Symbols",
            _deploy(symbols=tuple(each for each in PRICES if each != "ECHO")),
            ("", "RUN_DECIDED_MORE", "RUN_DECIDED_MORE"),
            "deployed",
        ),
        Change(
            "deployed live",
            _deploy_live,
            ("", "RUN_OF_ANOTHER_DESK", "RUN_OF_ANOTHER_DESK"),
            "deployed",
        ),
        Change(
            "deployed dry-run",
            _deploy(mode=TradingMode.DRY_RUN),
            ("", "DRY_RUN", "DRY_RUN"),
            "deployed",
        ),
        *(
            Change(name, act, ("named", "ended", "ended"), "user", "the account changed")
            for name, act in account
        ),
        Change("deposit", _deposit, ("named", "ended", "ended"), "user", "the account changed"),
    )


CHANGES = _all()
