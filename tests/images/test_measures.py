"""A fresh container of each image answers within its MemorySize, with headroom."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.server_process import open_url
from tests.images.commands import FUNCTIONS, base_image, docker, inspect
from tests.images.inside import peak_memory
from tests.images.measures import Measure, Measures, assert_headroom
from tests.support.event_expectations import event

pytestmark = pytest.mark.images

HAPPY = {
    "fetch_bars": "fetch_bars/dry-run",
    "compute_indicators": "compute_indicators/momentum-rotation",
    "decide_orders": "decide_orders/first-day",
    "submit_orders": "submit_orders/first-day",
    "notify": "notify/trading-day",
}
# Far more symbols than in the sample, with the same history.
MANY_SYMBOLS = 500
ANSWER_SECONDS = 60
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class Container:
    """A running container of a step's image, under the interface emulator."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        (place, *_) = docker("port", identity, "8080/tcp").splitlines()
        self._url = f"http://{place}/2015-03-31/functions/function/invocations"

    def ask(self, value: Any) -> Any:
        """Return the function's answer; retry until the emulator is ready."""
        until = time.monotonic() + ANSWER_SECONDS
        content = json.dumps(value).encode()
        while True:
            try:
                with open_url(self._url, content, timeout=ANSWER_SECONDS) as answer:
                    return json.load(answer)
            except OSError:
                if time.monotonic() > until:
                    raise AssertionError(docker("logs", self.identity)) from None
                time.sleep(0.01)


@contextmanager
def started(step: str, image: str, memory: int, variables: Path) -> Iterator[Container]:
    """Start a container with a memory limit of exactly the step's MemorySize."""
    own = json.loads(variables.read_text())[FUNCTIONS[step]]
    settings = [f"--env={name}={value}" for name, value in {**own, **KEYS}.items()]
    limit = [f"--memory={memory}m", f"--memory-swap={memory}m"]
    identity = docker(
        *("run", "--detach", "--publish", "127.0.0.1::8080", *limit, *settings),
        *(image, f"{step}.app.lambda_handler"),
    )
    try:
        yield Container(identity)
    finally:
        docker("rm", "--force", "--volumes", identity)


def size(image: str) -> int:
    return int(inspect("image", image)["Size"])


def many_symbols() -> Any:
    value = event(HAPPY["compute_indicators"])
    bars = value["bars"]["inline"]
    names = [f"S{number:03}" for number in range(MANY_SYMBOLS)]
    columns = list(bars.values())
    value["bars"]["inline"] = {
        name: columns[number % len(columns)] for number, name in enumerate(names)
    }
    value["settings"]["inline"]["symbols"] = names
    return value


@pytest.mark.parametrize("step", FUNCTIONS)
def test_a_fresh_container_answers_with_headroom_in_its_memory(
    step: str,
    images: dict[str, str],
    memory: dict[str, int],
    variables: Path,
    measures: Measures,
) -> None:
    measure = measures.setdefault(step, Measure(memory=memory[step]))
    measure.image_bytes, base_bytes = (size(name) for name in (images[step], base_image()))
    measure.own_bytes = measure.image_bytes - base_bytes
    begin = time.monotonic()
    with started(step, images[step], memory[step], variables) as container:
        first = container.ask(event(HAPPY[step]))
        measure.cold_seconds = time.monotonic() - begin
        begin = time.monotonic()
        second = container.ask(event(HAPPY[step]))
        measure.warm_seconds = time.monotonic() - begin
        limits = inspect("container", container.identity)["HostConfig"]
        peak = measure.peaks["sample event"] = peak_memory(container.identity)
    assert "errorType" not in first, first
    assert "errorType" not in second, second
    assert limits["Memory"] == memory[step] * 1024**2
    assert_headroom(step, peak, memory[step])


def test_indicators_over_many_symbols_leave_headroom(
    images: dict[str, str], memory: dict[str, int], variables: Path, measures: Measures
) -> None:
    step = "compute_indicators"
    with started(step, images[step], memory[step], variables) as container:
        answer = container.ask(many_symbols())
        peak = peak_memory(container.identity)
    assert "errorType" not in answer, answer
    measure = measures.setdefault(step, Measure(memory=memory[step]))
    measure.peaks[f"{MANY_SYMBOLS} symbols"] = peak
    assert_headroom(step, peak, memory[step])
