"""Owns the section `day`: from the bell to the last order, next to the plain script."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from local.execution_history import SUBMIT, Timeline
from local.paper_broker import PaperBrokerProcess
from local.paper_broker.data import synthetic_symbol
from local.sandbox.aws.stack import RUNNING
from local.sandbox.runner.brokers import broker_at
from local.sandbox.runner.desk import LocalDeskConfig, open_desk
from tests.bench.section import Rows, Section, Table, medians_in_turn
from tests.support.checkout import CHECKOUT

#: Symbols, repetitions, and the wanted ratio to the plain script.
SIZES = ((5, 3, 2.0), (50, 3, 0.7), (500, 1, 0.25))
SESSION = date(2012, 6, 20)
ANSWER_SECONDS = 0.05
CASH_PER_SYMBOL = 20_000
#: The bench looks rarely, because each look takes processor time from the desk.
POLL_SECONDS = 0.5
STATES = ("Fetch Bars", "Compute Indicators", "Decide Orders", SUBMIT)
SCRIPT = CHECKOUT / "tests" / "bench" / "plain_script.py"


@dataclass(slots=True)
class Watch:
    """Measures in the broker's clock, which here runs as fast as real time.

    Attributes
    ----------
    bell : datetime
        The broker's instant at which `at` was measured.
    at : float
        The same instant in this process, in monotonic seconds.
    """

    broker: PaperBrokerProcess
    bell: datetime
    at: float
    began: float = 0.0

    def start(self) -> None:
        self.began = time.monotonic()

    def order_times(self) -> list[datetime]:
        """Return the instants at which the broker accepted the orders, ascending."""
        return sorted(datetime.fromisoformat(each["submitted_at"]) for each in self.broker.orders())

    def last_order(self) -> tuple[float, int]:
        """Return the seconds from the start to the last order, and the number of orders."""
        times = self.order_times()
        return (times[-1] - self.bell).total_seconds() - (self.began - self.at), len(times)


@contextmanager
def opened_session(synthetic: int, traded: int, per_minute: int = 0) -> Iterator[Watch]:
    """Start a broker at the session's bell, with cash for the symbols that will be traded."""
    with PaperBrokerProcess(
        cash=str(traded * CASH_PER_SYMBOL),
        synthetic=synthetic,
        answer_seconds=ANSWER_SECONDS,
        requests_per_minute=per_minute,
    ) as broker:
        bell = broker.open_session(SESSION)
        yield Watch(broker, datetime.fromisoformat(bell), time.monotonic())


def run_script(watch: Watch, symbols: Iterable[str]) -> None:
    """Run the plain script in a new process until it ends."""
    variables = {
        "APCA_API_BASE_URL": watch.broker.url,
        "APCA_API_DATA_URL": watch.broker.url,
        "APCA_API_KEY_ID": watch.broker.key_id,
        "APCA_API_SECRET_KEY": watch.broker.secret_key,
    }
    watch.start()
    subprocess.run(
        [sys.executable, str(SCRIPT), *symbols], env={**os.environ, **variables}, check=True
    )


def plain(symbols: int) -> dict[str, float]:
    """Run the plain script on the first synthetic symbols."""
    with opened_session(symbols, symbols) as watch:
        run_script(watch, map(synthetic_symbol, range(1, symbols + 1)))
        seconds, orders = watch.last_order()
    return {"seconds": seconds, "orders": orders}


def desk(symbols: int) -> dict[str, float]:
    """Run a day of a new deployment, whose functions have never run.

    Returns
    -------
    dict of str to float
        ``pause`` is the time that the emulator waits before it begins an execution. ``seconds``
        does not include it. Submit Orders ends here with the last order.
    """
    parameters = {"Strategy": "sma_cross", "MaxOrdersPerRun": str(symbols), "Symbols": "@synthetic"}
    with opened_session(symbols, symbols) as watch:
        config = LocalDeskConfig(
            broker_at(watch.broker.url, {}), parameters, wait_scale=1.0, synthetic=symbols
        )
        with open_desk(config) as opened:
            watch.start()
            arn = opened.stack.start({})
            while (ended := opened.stack.describe(arn))["status"] == RUNNING:
                time.sleep(POLL_SECONDS)
            timeline = Timeline()
            timeline.extend(opened.stack.history(arn))
        if ended["status"] != "SUCCEEDED":
            raise RuntimeError(ended["cause"])
        seconds, orders = watch.last_order()
    visits = {each.name: each for each in reversed(timeline.visits)}  # first visits
    pause = (timeline.visits[0].entered - ended["startDate"]).total_seconds()
    before = (visits[SUBMIT].entered - ended["startDate"]).total_seconds()
    states = {name: visits[name].seconds for name in STATES if name != SUBMIT}
    return {
        "seconds": seconds - pause,
        "orders": orders,
        "pause": pause,
        **states,
        SUBMIT: seconds - before,
    }


def measure() -> Sequence[Rows]:
    """Measure the desk and the script at each size."""
    times, states = [], []
    for symbols, repetitions, wanted in SIZES:
        script, ours = medians_in_turn(repetitions, _of(plain, symbols), _of(desk, symbols))
        ratio = ours["seconds"] / script["seconds"]
        times.append(
            [
                str(symbols),
                f"{script['orders']:.0f}",
                f"{ours['orders']:.0f}",
                f"{script['seconds']:.2f}",
                f"{ours['seconds']:.2f}",
                f"{ratio:.2f}",
                f"{wanted}",
            ]
        )
        states.append([str(symbols), *(f"{ours[name]:.2f}" for name in (*STATES, "pause"))])
    return times, states


def _of(run: Callable[[int], dict[str, float]], symbols: int) -> Callable[[], dict[str, float]]:
    return lambda: run(symbols)


SECTION = Section(
    title="From the bell to the last order",
    about="""\
The desk's time runs from StartExecution to the moment at which the broker accepts the last order.
It includes five cold processes in place of containers, the state machine in the emulator, S3 and
SSM. It includes neither the deployment nor the emulator's pause before an execution. The script's
time runs from the start of its process to the same moment.
[The script](../tests/bench/plain_script.py) is what people copy from a blog,
without safeguards: one process, alpaca-trade-api, bars and `ta` symbol by symbol, and order after
order. Both trade `sma_cross` on an empty account. The broker takes 50 ms for each request and
limits no rate. Bytecode is compiled, and the system's file cache is warm. The figures are medians
of three runs in turn; with 500 symbols there is one run of each.""",
    tables=(
        Table(
            (
                "Symbols",
                "Orders of the script",
                "Orders of the desk",
                "Script, s",
                "Desk, s",
                "Ratio",
                "Wanted",
            )
        ),
        Table(
            ("Symbols", *(f"{name}, s" for name in STATES), "Emulator's pause, s"),
            """\
The same runs by state. Submit Orders ends here with the last order. The emulator pauses before each
execution, and the desk's time does not include that pause.""",
        ),
    ),
    measure=measure,
)
