"""Owns a desk on this machine: the template deployed into an embedded AWS, with its broker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from algotrader.adapters.stored_bars import unpack
from algotrader.adapters.strategy_output import MESSAGE
from algotrader.contracts import encode
from local.execution_history import Timeline, Visit
from local.paper_broker import PaperBrokerProcess
from local.paper_broker.process import ANY_KEYS
from local.problems import UsageProblem
from local.sandbox.aws import DeploymentProblem, EmbeddedAws, Stack
from local.sandbox.aws.stack import RUNNING
from local.sandbox.runner.brokers import Broker, broker_at, view_account
from local.sandbox.runner.document import Document, Ending, message_of, run_document, run_of
from local.sandbox.runner.inputs import bell_time, with_bell
from local.sandbox.runner.sample_data import functions_with_list
from local.sandbox.runner.strategy_files import put_files
from local.server_process import LOOPBACK

STACK = "algo-trader"
FAST_WAIT_SCALE = 0.1
POLL_SECONDS = 0.1

OnVisit = Callable[[Visit], None]


@dataclass(frozen=True, slots=True)
class LocalDeskConfig:
    """A desk's setup.

    Attributes
    ----------
    broker : Broker or None
        None means the built-in paper broker, in its own process.
    parameters : mapping
        Values for the template's parameters, without the broker's addresses.
    wait_scale : float
        Multiplies the state machine's waits and retry delays. The built-in broker's clock runs
        faster by the inverse, so a one-minute wait is also a minute at the broker.
    host : str
        The address of this machine that the embedded AWS and the built-in broker listen on.
    enforce_iam : bool
        Whether the embedded AWS checks calls against the template's policies.
    faults : str
        The built-in broker's fault plan; docs/paper-broker.md describes the format.
    synthetic : int
        Number of the built-in broker's synthetic symbols; the list ``@synthetic`` names them.
    files : Path or None
        The folder of the strategy's files, which go into the bucket; None means no files.
    """

    broker: Broker | None
    parameters: Mapping[str, str]
    wait_scale: float = FAST_WAIT_SCALE
    host: str = LOOPBACK
    enforce_iam: bool = True
    faults: str = ""
    synthetic: int = 0
    files: Path | None = None


@dataclass(frozen=True, slots=True)
class DayResult:
    """The result of one run; ``message`` is what Fetch Bars reported about the session."""

    document: Document
    message: str


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """A running desk, which ends with the block of `open_desk`."""

    aws: EmbeddedAws
    stack: Stack
    broker: Broker
    paper_broker: PaperBrokerProcess | None
    slots: str
    has_faults: bool = False

    def run(
        self,
        value: Any,
        session: date | None = None,
        *,
        ended: OnVisit | None = None,
        lasting: OnVisit | None = None,
    ) -> DayResult:
        """Start one run and wait for its end.

        Parameters
        ----------
        value : object
            The execution's input, any JSON value.
        session : date or None
            Date for the built-in broker's clock; None leaves the clock and the input unchanged.
        ended, lasting : callable or None
            ``ended`` gets every state that the execution leaves, ``lasting`` its current state.
        """
        if session is not None:
            value = with_bell(value, self.ring(session, value))
        self.stack.forget_texts()
        started = time.time()
        faulty = len(self.paper_broker.faults()) if self.paper_broker and self.has_faults else 0
        arn = self.stack.start(value)
        timeline = Timeline()
        while True:
            description = self.stack.describe(arn)  # first, so the history is complete
            for visit in timeline.extend(self.stack.history(arn)):
                if ended is not None:
                    ended(visit)
            if description["status"] != RUNNING:
                break
            if lasting is not None and timeline.current is not None:
                lasting(timeline.current)
            time.sleep(POLL_SECONDS)
        run = run_of(timeline)
        document = run_document(
            ending_of(description),
            timeline,
            view_account(self.broker, run["session"] if run else None),
            self.read_artifact,
            session.isoformat() if session else None,
        )
        if document["notification"] is None and (texts := self.stack.texts()):
            document["notification"] = asdict(texts[-1])  # it was sent, although Notify failed
        document["strategy_output"] = [
            line
            for function in ("compute-indicators", "decide-orders")
            for line in self.stack.logged_lines(function, MESSAGE, started)
        ]
        if self.paper_broker is not None and self.has_faults:
            document["faults"] = self.paper_broker.faults()[faulty:]
        return DayResult(document, message_of(timeline))

    def sessions(self) -> list[date]:
        """Return the built-in broker's sessions, ascending, or an empty list for another broker."""
        return [] if self.paper_broker is None else list(self.paper_broker.sessions())

    def ring(self, session: date, value: Any) -> str | None:
        """Set the built-in broker's clock to a session's bell, and return the bell's instant.

        Parameters
        ----------
        value : object
            The execution's input; its slot or ``report_only`` determines the bell.
        """
        if self.paper_broker is None:
            return None
        return self.paper_broker.open_session(session, bell_time(value, self.slots))

    def read_artifact(self, artifact: Mapping[str, Any]) -> Any:
        """Return a value that a state passed inline or through S3, as JSON has it."""
        if "inline" in artifact:
            return artifact["inline"]
        place = urlsplit(str(artifact.get("s3")))
        answer = self.aws.client("s3").get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        content = answer["Body"].read()
        return encode(unpack(content)) if place.path.endswith(".npz") else json.loads(content)


@contextmanager
def open_desk(plan: LocalDeskConfig) -> Iterator[LocalDesk]:
    """Start the broker and the embedded AWS, deploy the template, and stop both at the end.

    Raises
    ------
    UsageProblem
        If the template cannot be deployed with these parameters.
    """
    with ExitStack() as stack:
        paper_broker, broker = None, plan.broker
        embedded = EmbeddedAws(plan.wait_scale, host=plan.host, enforce_iam=plan.enforce_iam)
        if broker is None:
            paper_broker = PaperBrokerProcess(
                host=plan.host,
                clock_scale=1 / plan.wait_scale,
                keys=ANY_KEYS,
                faults=plan.faults,
                synthetic=plan.synthetic,
            )
            # The pool's block ends after both have started. So the stack stops everything that one
            # thread started, even if the other fails or a Ctrl-C arrives.
            with ThreadPoolExecutor(1) as pool:
                started = pool.submit(stack.enter_context, paper_broker)
                aws = stack.enter_context(embedded)
                started.result()
            broker = broker_at(paper_broker.url, {})
        else:
            aws = stack.enter_context(embedded)
        addresses = {"AlpacaTradingUrl": broker.trading_url, "AlpacaDataUrl": broker.data_url}
        keys = {"key_id": broker.key_id, "secret_key": broker.secret_key}
        functions = stack.enter_context(functions_with_list(plan.synthetic))
        try:
            deployed = aws.deploy(STACK, addresses | dict(plan.parameters), functions, keys=keys)
        except DeploymentProblem as problem:
            raise UsageProblem(str(problem)) from problem
        if plan.files is not None:
            put_files(aws.client("s3"), deployed.bucket, plan.files)
        slots = plan.parameters.get("Slots", "")
        yield LocalDesk(aws, deployed, broker, paper_broker, slots, has_faults=bool(plan.faults))


def ending_of(description: Mapping[str, Any]) -> Ending:
    """Read an execution's end from its description."""
    return Ending(
        name=description["name"],
        status=description["status"],
        error=description.get("error"),
        cause=description.get("cause"),
        seconds=(description["stopDate"] - description["startDate"]).total_seconds(),
    )
