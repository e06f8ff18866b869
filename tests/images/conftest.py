"""Owns what the tests of the images share: one build, and one desk within reach of containers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cli.container_host import ContainerHost, container_host
from local.cli.up import function_variables
from local.sandbox.aws.template import read_template
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from local.sandbox.runner.sessions import DEFAULT_SESSION
from tests.images.commands import BUILT, FUNCTIONS, LOG_TAIL, sam
from tests.images.measures import MEASURES, Measures, table

# After the deadline of the late events; the other events last all day.
BELL = "09:36"
BUILD_SECONDS = 500


@pytest.fixture(scope="session")
def built() -> Path:
    """Build all images as a user would, and return the built template."""
    done = sam("build", seconds=BUILD_SECONDS)
    assert done.returncode == 0, done.stderr[-LOG_TAIL:]
    return BUILT


@pytest.fixture(scope="session")
def images(built: Path) -> dict[str, str]:
    """Return each step's image from the built template."""
    resources = read_template(built)["Resources"]
    return {step: resources[name]["Properties"]["ImageUri"] for step, name in FUNCTIONS.items()}


@pytest.fixture(scope="session")
def memory(built: Path) -> dict[str, int]:
    """Return each step's MemorySize in MiB."""
    resources = read_template(built)["Resources"]
    return {step: resources[name]["Properties"]["MemorySize"] for step, name in FUNCTIONS.items()}


@pytest.fixture(scope="session")
def reach() -> ContainerHost:
    """Return the address at which containers reach a server of this machine."""
    return container_host("docker")


@pytest.fixture(scope="module")
def desk(reach: ContainerHost) -> Iterator[LocalDesk]:
    """Start the services of `algo-trader up --host docker`, in real time, at the bell."""
    plan = LocalDeskConfig(None, {}, wait_scale=1, host=reach.address, enforce_iam=False)
    with open_desk(plan) as opened:
        assert opened.paper_broker is not None
        opened.paper_broker.open_session(DEFAULT_SESSION, BELL)
        yield opened


@pytest.fixture(scope="module")
def variables(
    desk: LocalDesk, reach: ContainerHost, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Write the file for ``--env-vars``."""
    path = tmp_path_factory.mktemp("variables") / "env.json"
    path.write_text(json.dumps(function_variables(desk, reach)))
    return path


@pytest.fixture(scope="session")
def measures(pytestconfig: pytest.Config) -> Measures:
    """Return the measures for the table at the end."""
    found: Measures = pytestconfig.stash.setdefault(MEASURES, {})
    return found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table if there are measures."""
    found = config.stash.get(MEASURES, {})
    if found:
        terminalreporter.section("images")
        terminalreporter.write(table(found))
