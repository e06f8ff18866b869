"""Owns a flatten of a deployed stack: its execution, and the list of what remains."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from algotrader.adapters.aws import clients_from
from algotrader.adapters.store import Store
from algotrader.contracts import Artifact, decode
from algotrader.errors import InvalidInputError
from algotrader.model import Decision, Leg, OrderDenied, OrderRejected, Side, Snapshot, Submission
from algotrader.model.units import ZERO
from algotrader.orders.own_orders import leg_of
from algotrader.session.timing import SETTLE
from local.execution_history import DECIDE, FETCH, SUBMIT, Timeline, Visit
from local.ops.stack import AwsProblem, DeployedStack, aws_errors_as_one_line

POLL_SECONDS = 1.0
AGAIN_SECONDS = 20.0
#: How long the broker may take to show orders that a run sent at its end.
QUIET_SECONDS = SETTLE.total_seconds()
LOOKED_BACK_AT = 20
NAMED_AT_MOST = 5
UNDER_WAY = "RUN_UNDER_WAY"
CLOSED, DUPLICATE, DONE = "Market Closed", "Duplicate Run", "Run Succeeded"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flattening:
    """The result of a flatten.

    Attributes
    ----------
    end : str
        The state in which its execution ended.
    message : str
        Why the run failed or had nothing to do, or an empty string if it succeeded.
    email : str
        The e-mail that the run sent, or an empty string if it sent none.
    left : tuple of str
        What the desk may still hold, as far as the run knows; one line each.
    """

    arn: str
    end: str
    message: str
    email: str
    left: tuple[str, ...]

    @property
    def ran_through(self) -> bool:
        """Whether the execution succeeded."""
        return self.end == DONE

    @property
    def sold_all(self) -> bool:
        """Whether the execution succeeded and left nothing."""
        return self.ran_through and not self.left


def flatten_stack(
    stack: DeployedStack,
    value: Mapping[str, Any],
    patience_seconds: float,
    report: Callable[[str], None],
    ended: Callable[[Visit], None],
) -> Flattening:
    """Start the execution and wait for its end; try again while another run blocks it.

    Parameters
    ----------
    value : mapping
        The execution's input.
    patience_seconds : float
        How long to wait for other runs in total.
    report : callable
        Receives a line for every wait.
    ended : callable
        Receives every state that has ended.

    Raises
    ------
    AwsProblem
        If AWS refuses or does not answer. An execution that has started continues.
    """
    until = time.monotonic() + patience_seconds
    given = json.dumps(value)
    machine = stack.output("StateMachineArn")
    executions = stack.client("stepfunctions")
    quiet: dict[str, float] = {}
    while True:
        _wait_for_others(executions, machine, until, report, quiet)
        with aws_errors_as_one_line("the flatten was not started"):
            arn = str(
                executions.start_execution(stateMachineArn=machine, input=given)["executionArn"]
            )
        report(f"execution {arn}")
        with aws_errors_as_one_line(f"cannot follow {arn}, which continues"):
            done = _follow(stack, executions, arn, ended)
        is_refused = done.end == DUPLICATE or done.message.startswith(UNDER_WAY)
        if not is_refused or time.monotonic() >= until:
            return done
        quiet[arn] = 0.0  # the run was refused, so it sent nothing
        report(f"another run is in the way; trying again in {AGAIN_SECONDS:.0f} s: {done.message}")
        time.sleep(AGAIN_SECONDS)


def _wait_for_others(
    executions: Any,
    machine: str,
    until: float,
    report: Callable[[str], None],
    quiet: dict[str, float],
) -> None:
    """Wait for the runs that are under way, because a flatten must run alone.

    After a run ends, wait by this machine's clock until the broker shows the run's orders. If that
    clock is wrong, the flatten's own check decides.
    """
    before: list[str] = []
    while time.monotonic() < until:
        try:
            with aws_errors_as_one_line("cannot list the runs under way"):
                names = _in_the_way(executions, machine, quiet)
        except AwsProblem as problem:  # the flatten itself checks again
            report(str(problem))
            return
        if not names:
            return
        if names != before:
            report(f"waiting for other runs: {', '.join(names[:NAMED_AT_MOST])}")
        before = names
        time.sleep(POLL_SECONDS)


def _in_the_way(executions: Any, machine: str, quiet: dict[str, float]) -> list[str]:
    """List the executions that are running, or that just ended and may have sent orders.

    Parameters
    ----------
    quiet : dict of str to float
        The `time.monotonic` value until which to wait for each ended execution, by ARN. This
        function adds new executions, so it looks each one up once.
    """
    recent = executions.list_executions(stateMachineArn=machine, maxResults=LOOKED_BACK_AT)
    live = executions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    names = [str(each["name"]) for each in live["executions"]]
    for each in recent["executions"]:
        arn, ended = str(each["executionArn"]), each.get("stopDate")
        if ended is None:
            continue
        if arn not in quiet:
            age = (datetime.now(UTC) - ended).total_seconds()
            left = min(QUIET_SECONDS - age, QUIET_SECONDS)
            sends = left > 0 and _may_have_sent(executions, arn)
            quiet[arn] = time.monotonic() + left if sends else 0.0
        if time.monotonic() < quiet[arn]:
            names.append(f"{each['name']}, which just ended")
    return names


def _may_have_sent(executions: Any, arn: str) -> bool:
    value = json.loads(executions.describe_execution(executionArn=arn).get("input") or "{}")
    return not (isinstance(value, Mapping) and (value.get("dry_run") or value.get("report_only")))


def _follow(
    stack: DeployedStack, executions: Any, arn: str, ended: Callable[[Visit], None]
) -> Flattening:
    timeline = Timeline()
    while True:
        description = executions.describe_execution(executionArn=arn)
        pages = executions.get_paginator("get_execution_history").paginate(executionArn=arn)
        for visit in timeline.extend(event for page in pages for event in page["events"]):
            ended(visit)
        if description["status"] != "RUNNING":
            break
        time.sleep(POLL_SECONDS)
    fetched = timeline.result(FETCH) or {}
    end = timeline.visits[-1].name if timeline.visits else description["status"]
    message = str(description.get("cause") or description.get("error") or "")
    if end in {CLOSED, DUPLICATE}:
        message = str(fetched.get("message") or "")
    texts = timeline.result("Notify Failure", "Notify") or {}
    return Flattening(
        arn=arn,
        end=end if description["status"] in {"SUCCEEDED", "FAILED"} else description["status"],
        message=message,
        email=str(texts.get("email") or ""),
        left=tuple(_left(stack, timeline)) if end == DONE else (),
    )


def _left(stack: DeployedStack, timeline: Timeline) -> Iterator[str]:
    """List what a successful run did not sell, and what its orders bought while being canceled."""
    with (
        aws_errors_as_one_line("cannot read the run's results, so what remains is unknown"),
        clients_from(stack.client),
    ):
        store = Store(stack.output("Bucket"))

        def read(state: str, name: str, kind: type[T]) -> T | None:
            given = (timeline.result(state) or {}).get(name)
            if given is None:
                return None
            try:
                return store.get(decode(Artifact, given, name), kind)
            except (InvalidInputError, ValueError) as error:
                raise AwsProblem(f"the run's {name} is not what the run wrote: {error}") from error

        snapshot = read(FETCH, "snapshot", Snapshot)
        decision = read(DECIDE, "decision", Decision)
        submission = read(SUBMIT, "submission", Submission)
    if snapshot is None or decision is None:
        return iter(("unknown, because the run's history has no decision",))
    return what_is_left(snapshot, decision, submission)


def what_is_left(
    snapshot: Snapshot, decision: Decision, submission: Submission | None
) -> Iterator[str]:
    """List what a desk still holds after a flatten, one line each with the reason.

    Parameters
    ----------
    submission : Submission or None
        None for a dry run, whose decided sells count as filled.
    """
    left = _books_after(snapshot, decision, submission)
    refused: list[OrderDenied | OrderRejected] = [*decision.denied]
    if submission is not None:
        refused += [*submission.denied, *submission.rejected]
    named = set()
    for each in refused:
        if left.get(each.symbol):
            named.add(each.symbol)
            yield f"{each.symbol}: {each.code}: {each.detail}"
    before = _filled_before(snapshot)
    for order in submission.orders if submission else ():
        name, symbol, wanted = order.client_order_id, order.symbol, order.qty or ZERO
        if leg_of(name) is Leg.FLATTEN and left.get(symbol) and order.filled_qty < wanted:
            yield f"{symbol}: sold {order.filled_qty:f} of {wanted:f}, the order is {order.status}"
        elif order.side is Side.BUY and order.filled_qty > before.get(name, ZERO):
            yield f"{symbol}: {name} bought more while it was being canceled. Flatten again"
        elif submission and name in submission.unsettled:
            yield f"{symbol}: {name} is {order.status}"
        else:
            continue
        named.add(symbol)
    for symbol in sorted({*left} - named):
        yield f"{symbol}: the desk's books still have {left[symbol]:f}"


def _books_after(
    snapshot: Snapshot, decision: Decision, submission: Submission | None
) -> dict[str, Decimal]:
    """Return the desk's holdings above 0 after all fills."""
    books = {symbol: each.qty for symbol, each in snapshot.ledger.holdings.items()}
    if submission is None:
        for exit_ in decision.exits:
            books[exit_.symbol] = books.get(exit_.symbol, ZERO) - exit_.qty
    before = _filled_before(snapshot)
    for order in submission.orders if submission else ():
        since = order.filled_qty - before.get(order.client_order_id, ZERO)
        change = since if order.side is Side.BUY else -since
        books[order.symbol] = books.get(order.symbol, ZERO) + change
    return {symbol: qty for symbol, qty in books.items() if qty > 0}


def _filled_before(snapshot: Snapshot) -> dict[str, Decimal]:
    return {each.client_order_id: each.filled_qty for each in snapshot.own_open_orders}
