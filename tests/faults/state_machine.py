"""Owns the state machine around Submit Orders, as statemachine/trading.asl.yaml defines it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import yaml
from msgspec import structs

from algotrader.contracts import CONTRACT_VERSION, encode
from algotrader.execution import first_plan, trades_end
from algotrader.model import Decision, Run
from local.paper_broker.values import Order
from submit_orders.app import lambda_handler
from tests.faults.market import SETTINGS, STARTED, decision_of, run_of, taken_over
from tests.faults.simulation import World
from tests.faults.wire import Killed, Wire
from tests.support.checkout import CHECKOUT

ASL = CHECKOUT / "statemachine" / "trading.asl.yaml"
MOST_EXECUTIONS = 20
MOST_CALLS = 250
MOST_TWIN_CALLS = 40
# A person or the next bell starts the run again after a failed execution.
BETWEEN_EXECUTIONS_SECONDS = 30
LONGEST_WAIT_SECONDS = 60
# The error that Step Functions reports when a process dies.
DIED = "Runtime.ExitError"


@dataclass(frozen=True, slots=True)
class Retrier:
    """An entry of a state's Retry list."""

    errors: frozenset[str]
    interval: float
    rate: float
    longest: float
    attempts: int
    jitter: bool

    def delay(self, attempt: int, part: float) -> float:
        """Return the seconds before an attempt; ``part`` is the random share of a full jitter.

        Without chance, ``part`` is 0 and a delay with jitter is 0, too.
        """
        whole = min(self.interval * self.rate**attempt, self.longest)
        return whole * part if self.jitter or not part else whole


@cache
def retriers(name: str = "Submit Orders") -> tuple[Retrier, ...]:
    """Read a state's Retry list from the state machine's file."""
    state = yaml.safe_load(ASL.read_text())["States"][name]
    return tuple(
        Retrier(
            frozenset(each["ErrorEquals"]),
            each["IntervalSeconds"],
            each["BackoffRate"],
            each["MaxDelaySeconds"],
            each["MaxAttempts"],
            each.get("JitterStrategy") == "FULL",
        )
        for each in state["Retry"]
    )


@cache
def named_errors() -> frozenset[str]:
    """Read the error names that the state machine catches at Submit Orders."""
    state = yaml.safe_load(ASL.read_text())["States"]["Submit Orders"]
    return frozenset(state["Catch"][0]["ErrorEquals"])


@dataclass(frozen=True, slots=True)
class Position:
    """A run between two calls.

    Attributes
    ----------
    plan : str or None
        The next call's plan, as JSON; None for an execution's first plan.
    attempts : tuple of int
        Retries during this visit of the state, by retrier.
    error, message : str
        How the last call failed; empty if it succeeded.
    ended_ms : int or None
        The deadline set by a take-over that found other limits deployed; None without one.
    """

    world: bytes
    key: bytes
    execution: int = 1
    variant: int = 0
    plan: str | None = None
    attempts: tuple[int, ...] = ()
    calls: int = 0
    is_complete: bool = False
    error: str = ""
    message: str = ""
    submission: str = ""
    ended_ms: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, successfully or not.

        A person starts again after an error without a name, so it never ends the last execution.
        """
        most = MOST_EXECUTIONS if self.error in named_errors() else MOST_EXECUTIONS + 1
        return self.is_complete or self.execution > most or self.calls >= MOST_CALLS


class Machine:
    """The loop of Submit Orders and Wait For Fills, through all executions of the run."""

    def __init__(
        self,
        wire: Wire,
        world: World | None = None,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.wire = wire
        self.world = world or wire.world
        self.jitter = jitter
        self._fresh = self.world.save()
        self._variant = 0
        self.world.twin = self.twin
        self.world.twin_stack = self.twin_stack
        self.world.run_others = self.wire.run_others

    def start(self, variant: int = 0) -> Position:
        """Return the position before the first call."""
        self.wire.world = self.world
        self.world.load(self._fresh)
        return self.placed(Position(b"", b"", variant=variant))

    def event(self, position: Position, canceled: Sequence[Order] = ()) -> dict[str, Any]:
        """Build the event of the next call, as the state machine would.

        Parameters
        ----------
        canceled : sequence of Order
            Orders that the decision cancels in addition to the open stops.
        """
        run, decision = self._decided(position)
        filled = {each.client_order_id: each.filled_qty for each in canceled}
        decision = structs.replace(
            decision,
            cancels=(*decision.cancels, *filled),
            filled_before={**decision.filled_before, **filled},
        )
        plan = json.loads(position.plan) if position.plan else encode(first_plan(run, decision))
        return {
            "contract": CONTRACT_VERSION,
            "run": encode(run),
            "settings": {"inline": encode(SETTINGS)},
            "decision": {"inline": encode(decision)},
            "plan": {"inline": plan},
        }

    def step(self, position: Position) -> Position:
        """Load a position, make the next call, and return the position that follows."""
        self.wire.world = self.world
        self.world.load(position.world)
        return self.carry_on(position)

    def carry_on(self, position: Position) -> Position:
        """Make the next call in the current world."""
        self._variant = position.variant
        event = self.event(position)
        plan = event["plan"]["inline"]
        place = (position.execution, plan["sequence"], plan["polls"], position.attempts)
        result, error, message = self.call(event, repr(place))
        if result is not None:
            return self._went_well(position, result)
        attempts = position.attempts or (0,) * len(retriers())
        for number, retrier in enumerate(retriers()):
            if error not in retrier.errors:
                continue
            if attempts[number] < retrier.attempts:
                self.world.sleep(retrier.delay(attempts[number], self.jitter()))
                more = (*attempts[:number], attempts[number] + 1, *attempts[number + 1 :])
                return self.placed(
                    replace(
                        position,
                        calls=position.calls + 1,
                        attempts=more,
                        error=error,
                        message=message,
                    )
                )
            break
        return self._taken_over(position, error, message)

    def call(self, event: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str, str]:
        """Invoke the function; return its result, or the error name that Step Functions sees."""
        before, self.wire.plan = self.wire.plan, event["plan"]["inline"]
        mode = "live" if self.world.state.deployment == "mode" else "paper"
        try:
            with patch.dict("os.environ", TRADING_MODE=mode):
                return lambda_handler(event, _context(name)), "", ""
        except Killed:
            return None, DIED, ""
        except Exception as error:  # noqa: BLE001 - the function's runtime does the same
            return None, type(error).__name__, str(error)
        finally:
            self.wire.plan = before

    def twin(
        self, *, first: bool, whole: bool, other: bool = False, canceled: Sequence[Order] = ()
    ) -> None:
        """Let a second execution of the run make one call, or all its calls, at this instant.

        Parameters
        ----------
        first : bool
            Whether it begins with the first plan instead of the current one.
        other : bool
            Whether it has made a different decision.
        canceled : sequence of Order
            As in `event`.
        """
        script, self.wire.script = self.wire.script, lambda exchange: exchange.apply()
        plan = None if first else json.dumps(self.wire.plan)
        variant = self._variant + (5 if other else 0)
        position = Position(b"", b"", execution=99, variant=variant, plan=plan)
        try:
            for _ in range(MOST_TWIN_CALLS if whole else 1):
                self.world.state.twins += 1
                result, _, _ = self.call(
                    self.event(position, canceled), f"twin-{self.world.state.twins}"
                )
                if result is None or result["outcome"] == "COMPLETE":
                    break
                self.world.sleep(min(LONGEST_WAIT_SECONDS, max(0, result["wait_seconds"])))
                position = replace(position, plan=json.dumps(result["plan"]["inline"]))
        finally:
            self.wire.script = script

    def twin_stack(self, *, other: bool) -> None:
        """Let a stack of the same name in another region complete its run at this instant.

        The stack has its own bucket, but it shares the account.

        Parameters
        ----------
        other : bool
            Whether it has just looked at the account. It then decides differently and cancels the
            open orders.
        """
        found = [
            each
            for each in self.world.desk_orders()
            if other and each.is_open and each.ticket.type != "stop"
        ]
        with self.world.elsewhere():
            self.twin(first=True, whole=True, other=other, canceled=found)
        run, decision = self._decided(Position(b"", b""))
        if STARTED + timedelta(milliseconds=self.world.state.ms) >= trades_end(run, decision):
            self.world.state.notes.add("slow")  # this stack stood still too long to trade

    def finish(self, position: Position) -> Position:
        """Continue without further faults until the run is over."""
        while not position.is_over:
            position = self.step(position)
        return position

    def _decided(self, position: Position) -> tuple[Run, Decision]:
        """Return the run and the decision that the first three steps would produce."""
        first = run_of(self.world.account_number, 1, STARTED)
        run = taken_over(first, position.execution)
        if position.ended_ms is not None:
            now = STARTED + timedelta(milliseconds=position.ended_ms)
            run = structs.replace(run, deadline=min(run.deadline, now), ended_because="a deploy")
        return run, decision_of(first, position.variant, self.world.scenario)

    def _went_well(self, position: Position, result: dict[str, Any]) -> Position:
        is_complete = result["outcome"] == "COMPLETE"
        if not is_complete:
            self.world.sleep(min(LONGEST_WAIT_SECONDS, max(0, result["wait_seconds"])))
        return self.placed(
            replace(
                position,
                plan=json.dumps(result["plan"]["inline"]),
                submission=_submission_of(result) or position.submission,
                calls=position.calls + 1,
                attempts=(),
                is_complete=is_complete,
                error="",
                message="",
            )
        )

    def _taken_over(self, position: Position, error: str, message: str) -> Position:
        """End the execution and begin the next one, with the stored decision if there is one."""
        self.world.sleep(BETWEEN_EXECUTIONS_SECONDS)
        run = run_of(self.world.account_number, 1, STARTED)
        is_stored = f"{run.journal}decision.json" in self.world.state.bucket
        ended = position.ended_ms
        if ended is None and is_stored and self.world.state.deployment == "limits":
            ended = self.world.state.ms
        return self.placed(
            replace(
                position,
                execution=position.execution + 1,
                variant=position.variant if is_stored else position.variant + 1,
                plan=None,
                attempts=(),
                calls=position.calls + 1,
                error=error,
                message=message,
                ended_ms=ended,
            )
        )

    def placed(self, position: Position) -> Position:
        """Return a position together with the current world."""
        spelt = repr(
            (
                *(position.execution, position.variant, position.plan, position.attempts),
                *(position.is_complete, position.error, position.submission),
                position.ended_ms,
            )
        )
        key = hashlib.blake2b((self.world.key() + spelt).encode(), digest_size=16).digest()
        return replace(position, world=self.world.save(), key=key)


def _context(name: str) -> SimpleNamespace:
    return SimpleNamespace(
        function_name="submit_orders",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:submit_orders",
        aws_request_id=name,
    )


def _submission_of(result: dict[str, Any]) -> str:
    """Return a call's submission as JSON, or an empty string if it could read nothing."""
    return json.dumps(result["submission"]["inline"]) if result["submission"] else ""
