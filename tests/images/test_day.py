"""A trading day on the built images equals the day without images."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from local.cli.container_host import ContainerHost
from local.paper_broker import PaperBrokerProcess
from local.paper_broker.process import ANY_KEYS
from local.sandbox.aws import EmbeddedAws
from local.sandbox.runner.brokers import broker_at
from local.sandbox.runner.desk import FAST_WAIT_SCALE, STACK, LocalDesk, LocalDeskConfig, open_desk
from local.sandbox.runner.document import Document
from tests.images.commands import docker
from tests.images.inside import peak_memory
from tests.images.measures import Measure, Measures, assert_headroom

pytestmark = pytest.mark.images

# The first day buys. The second day sells one holding and buys another.
SESSIONS = (date(2012, 2, 15), date(2012, 2, 16))
SCHEDULES_OFF = {"ScheduleState": "DISABLED", "ReportScheduleState": "DISABLED"}


@contextmanager
def desk_of_images(built: Path, reach: ContainerHost) -> Iterator[LocalDesk]:
    """Open a desk whose functions run in containers, with a broker that they can reach."""
    engine = os.environ["DOCKER_HOST"]
    scale = FAST_WAIT_SCALE
    with (
        PaperBrokerProcess(host=reach.address, clock_scale=1 / scale, keys=ANY_KEYS) as paper,
        EmbeddedAws(scale, host=reach.address, docker_host=engine, enforce_iam=False) as aws,
    ):
        broker = broker_at(paper.url, {})
        seen = reach.seen_from_inside({"url": paper.url})["url"]
        parameters = {"AlpacaTradingUrl": seen, "AlpacaDataUrl": seen, **SCHEDULES_OFF}
        keys = {"key_id": broker.key_id, "secret_key": broker.secret_key}
        try:
            yield LocalDesk(
                aws, aws.deploy_built(STACK, parameters, built, keys=keys), broker, paper, ""
            )
        finally:
            for container in containers(aws):
                docker("rm", "--force", "--volumes", container)


def containers(aws: EmbeddedAws) -> dict[str, str]:
    """Return the containers in which the embedded AWS runs functions, with their images."""
    port = aws.endpoint_url.rpartition(":")[2]
    mine = [
        line.split("\t")
        for line in docker(
            *("ps", "--all", "--no-trunc", "--filter", "label=ministack=lambda"),
            *("--format", '{{.ID}}\t{{.Image}}\t{{.Label "ministack.instance"}}'),
        ).splitlines()
    ]
    return {each: image for each, image, owner in mine if owner.rpartition(":")[2] == port}


def canonical(document: Document, desk: LocalDesk) -> dict[str, str]:
    """Return a run's result as text, with fixed words for random names."""
    random = (desk.stack.bucket, document["execution"]["name"])

    def text(value: Any) -> str:
        spelled = json.dumps(value, indent=1, sort_keys=True)
        for word in random:
            spelled = spelled.replace(word, "drawn")
        return spelled

    parts = ("decision", "orders", "denied", "notification", "account", "session", "run_id")
    made = {name: text(document[name]) for name in parts}
    return made | {"states": text([state["name"] for state in document["states"]])}


def traded(desk: LocalDesk, day: date) -> dict[str, str]:
    """Trade a day, which must succeed, and return the run's result."""
    document = desk.run({}, day).document
    assert document["execution"]["status"] == "SUCCEEDED", document["execution"]
    return canonical(document, desk)


def test_decision_orders_and_texts_are_those_of_the_run_without_images(
    built: Path,
    reach: ContainerHost,
    images: dict[str, str],
    memory: dict[str, int],
    measures: Measures,
) -> None:
    with open_desk(LocalDeskConfig(broker=None, parameters={})) as desk:
        expected = [traded(desk, day) for day in SESSIONS]
    with desk_of_images(built, reach) as desk:
        for day, wanted in zip(SESSIONS, expected, strict=True):
            assert traded(desk, day) == wanted
        running = containers(desk.aws)
        peaks = {image: peak_memory(container) for container, image in running.items()}
    assert len(json.loads(expected[0]["orders"])) >= 3
    assert {order["side"] for order in json.loads(expected[1]["orders"])} == {"buy", "sell"}
    assert sorted(running.values()) == sorted(images.values())
    for step, image in images.items():
        measure = measures.setdefault(step, Measure(memory=memory[step]))
        measure.peaks["full day"] = peaks[image]
        assert_headroom(step, peaks[image], memory[step])
