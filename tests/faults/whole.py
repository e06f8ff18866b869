"""Owns the state machine around whole executions, each of which begins with the real Fetch Bars.

Submit Orders is real, too. Compute Indicators and Decide Orders are replaced. Their stand-in reads
what Fetch Bars passes: the same input gives the same decision, and any other input gives another
decision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from algotrader.adapters import store as artifacts
from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import get_bars
from algotrader.contracts import (
    CONTRACT_VERSION,
    Artifact,
    DecideOrdersResult,
    FetchBarsResult,
    canonical_json,
    decode,
    encode,
    sha256_of,
)
from algotrader.model import Decision, Holding, Ledger, Run, Settings, Snapshot
from fetch_bars.app import lambda_handler as fetch_bars
from fetch_bars.take_over import DECIDE_ORDERS, FETCH_BARS
from local.paper_broker.values import Order
from tests.faults.market import (
    DESK_HOLDS,
    MACHINE,
    PRICES,
    SETTINGS,
    STARTED,
    decision_of,
    run_of,
)
from tests.faults.simulation import Execution, World
from tests.faults.state_machine import (
    BETWEEN_EXECUTIONS_SECONDS,
    DIED,
    MOST_EXECUTIONS,
    Machine,
    Position,
    named_errors,
    retriers,
)
from tests.faults.wire import BUCKET, Killed, Wire
from tests.support.lambda_context import LambdaContext

#: Larger values go through the bucket, as they do in a real run with dozens of symbols.
INLINE_LIMIT_BYTES = 512
#: The most executions of a run: one that dies, and two that take over.
EXECUTIONS = 3
#: The variant of a forged decision, which trades forty more shares of each symbol.
FORGED = -40


def environment(settings: Settings) -> dict[str, str]:
    """Format settings the way the template passes them to Fetch Bars."""
    names = {"stack": "STACK_NAME", "mode": "TRADING_MODE"}
    return {
        names.get(each, each.upper()): _spelled(getattr(settings, each))
        for each in Settings.__struct_fields__
    }


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def arn_of(execution: int) -> str:
    return f"{MACHINE}:{execution}"


def inputs_of(result: FetchBarsResult) -> str:
    """Hash everything that a decision depends on."""
    run = result.run
    assert run is not None
    place = (run.run_id, run.desk, run.mode, run.entry_symbols)
    contents = [
        each.sha256 or sha256_of(each.inline)
        for each in (result.settings, result.bars, result.snapshot)
        if each is not None
    ]
    return sha256_of((place, contents))


class WholeMachine(Machine):
    """A state machine whose executions all begin with the real Fetch Bars.

    Attributes
    ----------
    first : FetchBarsResult
        What the first execution gathered.
    environ : dict of str to str
        The environment variables of the deployed functions.
    pause_seconds : float
        The time from the end of an execution to the start of the next one.
    forged : str
        Hash of the input for which somebody has forged a decision; empty if nobody has.
    """

    def __init__(self, wire: Wire, world: World) -> None:
        super().__init__(wire, world)
        self.restore()
        wire.world = world
        holdings = {
            symbol: Holding(qty, qty * PRICES[symbol]) for symbol, qty in DESK_HOLDS.items()
        }
        ledger = Ledger(world.desk, STARTED - timedelta(days=1), holdings)
        world.state.bucket[f"ledger/{world.desk}.json"] = canonical_json(ledger)
        first, error, message = self._begin(1, 0)
        assert first is not None, f"{error} {message}"
        self.first = first
        self._fresh = world.save()

    def restore(self) -> None:
        """Restore the first deployment and the usual pause, and remove forgeries."""
        self.environ = environment(SETTINGS)
        self.pause_seconds = float(BETWEEN_EXECUTIONS_SECONDS)
        self.forged = ""

    def event(self, position: Position, canceled: Sequence[Order] = ()) -> dict[str, Any]:
        settings = encode(self.begun(position).settings)
        return super().event(position, canceled) | {"settings": settings}

    def begun(self, position: Position) -> FetchBarsResult:
        """Return the Fetch Bars result of a position's execution in the current world."""
        return _fetched(self.world.state.executions[arn_of(position.execution)])

    def decision(self, variant: int) -> Decision:
        """Build a variant of the run's decision."""
        run = run_of(self.world.account_number, 1, STARTED)
        return decision_of(run, variant, self.world.scenario)

    def die(self, position: Position) -> None:
        """Make the next call, in which the process dies, and stop the execution."""
        self.world.load(position.world)
        result, error, _ = self.call(self.event(position), "the last")
        assert (result, error) == (None, DIED)
        self._end(position.execution, "ABORTED")

    def go_on(self, position: Position, error: str = "", message: str = "") -> Position:
        """Begin the next execution after a position, in the current world.

        Returns
        -------
        Position
            The position before the first call to Submit Orders, or the run's end if no execution
            gets there.
        """
        while position.execution < EXECUTIONS:
            self.world.sleep(self.pause_seconds)
            number = position.execution + 1
            result, error, message = self._begin(number, position.variant + 1)
            position = replace(position, execution=number)
            if result is not None:
                variant = self.world.state.executions[arn_of(number)].variant
                return self.placed(replace(position, variant=variant, plan=None, attempts=()))
            if error.isupper():  # an outcome, not an error
                break
            self.world.state.executions[arn_of(number)] = Execution("FAILED")
            if error not in named_errors() | {DIED}:
                self.world.state.notes.add(f"UNNAMED {error.upper()}")
        over = MOST_EXECUTIONS + 2
        return self.placed(replace(position, execution=over, error=error, message=message))

    def _begin(self, execution: int, variant: int) -> tuple[FetchBarsResult | None, str, str]:
        """Begin an execution and run its steps before Submit Orders.

        Parameters
        ----------
        variant : int
            The decision's variant if no earlier execution had the same input.
        """
        result, error, message = self._fetch(execution)
        attempts = dict.fromkeys(retriers(FETCH_BARS), 0)
        while retrier := next((each for each in attempts if error in each.errors), None):
            if attempts[retrier] == retrier.attempts:
                break
            self.world.sleep(retrier.delay(attempts[retrier], self.jitter()))
            attempts[retrier] += 1
            result, error, message = self._fetch(execution)
        if result is None:
            return None, error, message
        variant = self._variant_of(result, variant)
        handed_on = Artifact(inline=encode(self.decision(variant)))
        decided = DecideOrdersResult("SUBMIT", decision=handed_on, plan=handed_on)
        results = {FETCH_BARS: encode(result), DECIDE_ORDERS: encode(decided)}
        self.world.state.executions[arn_of(execution)] = Execution("RUNNING", results, variant)
        return result, "", ""

    def _fetch(self, execution: int) -> tuple[FetchBarsResult | None, str, str]:
        """Call Fetch Bars; return its result, or the error's name and message."""
        event = {"contract": CONTRACT_VERSION, "execution_arn": arn_of(execution), "input": {}}
        try:
            with (
                patch.dict("os.environ", self.environ),
                patch.object(artifacts, "INLINE_LIMIT_BYTES", INLINE_LIMIT_BYTES),
            ):
                result = decode(FetchBarsResult, fetch_bars(event, LambdaContext()), FETCH_BARS)
            if result.run is None or not result.run.sends_orders:
                return None, "DRY_RUN" if result.run else result.outcome, result.message
            _read_inputs(result)
        except Killed:
            return None, DIED, ""
        except Exception as error:  # noqa: BLE001 - the function's runtime does the same
            return None, type(error).__name__, str(error)
        return result, "", ""

    def _variant_of(self, result: FetchBarsResult, fresh: int) -> int:
        """Return the decision's variant, the same for the same input."""
        wanted = inputs_of(result)
        if wanted == self.forged:
            return FORGED
        for execution in self.world.state.executions.values():
            if execution.results and inputs_of(_fetched(execution)) == wanted:
                return execution.variant
        return fresh

    def _decided(self, position: Position) -> tuple[Run, Decision]:
        run = self.begun(position).run
        assert run is not None
        return run, self.decision(position.variant)

    def _taken_over(self, position: Position, error: str, message: str) -> Position:
        self._end(position.execution, "FAILED")
        return self.go_on(replace(position, calls=position.calls + 1), error, message)

    def _end(self, execution: int, status: str) -> None:
        executions = self.world.state.executions
        executions[arn_of(execution)] = replace(executions[arn_of(execution)], status=status)


def _fetched(execution: Execution) -> FetchBarsResult:
    return decode(FetchBarsResult, execution.results[FETCH_BARS], FETCH_BARS)


def _read_inputs(result: FetchBarsResult) -> None:
    """Read the inputs of Compute Indicators and Decide Orders."""
    bucket = Store(BUCKET)
    assert result.settings is not None
    assert result.bars is not None
    assert result.snapshot is not None
    bucket.get(result.settings, Settings)
    get_bars(bucket, result.bars)
    bucket.get(result.snapshot, Snapshot)
