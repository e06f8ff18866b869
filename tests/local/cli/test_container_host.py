"""`up` listens on an address that containers can find by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.cli.container_host import ContainerHost, container_host
from local.problems import UsageProblem

NOT_OURS = "192.0.2.77"  # an address reserved for documentation, so no machine has it


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of an empty docker command, the only command on the path."""
    command = tmp_path / "docker"
    command.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return command


def network(*gateways: str) -> str:
    answer = [{"IPAM": {"Config": [{"Gateway": each} for each in gateways]}}]
    return f"#!/bin/sh\necho '{json.dumps(answer)}'\n"


def test_an_address_of_this_machine_is_taken_as_it_is() -> None:
    assert container_host("127.0.0.1") == ContainerHost("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize("host", [NOT_OURS, "localhost", "::1", "", "podman"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(UsageProblem, match=f"--host {host}: this machine has no such IPv4 address"):
        container_host(host)


def test_containers_find_a_bridge_of_this_machine_by_its_address(docker: Path) -> None:
    docker.write_text(network("fd00::1", "127.0.0.1"))
    assert container_host("docker") == ContainerHost("127.0.0.1", "127.0.0.1")


def test_containers_of_an_engine_in_a_virtual_machine_find_the_loopback_by_a_name(
    docker: Path,
) -> None:
    docker.write_text(network(NOT_OURS))
    assert container_host("docker") == ContainerHost("127.0.0.1", "host.docker.internal")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho 'hm'\necho 'Cannot connect' >&2\nexit 1\n", "Cannot connect"),
        ("#!/bin/sh\nexit 1\n", "docker failed and gave no reason"),
        ("#!/bin/sh\necho '[]'\n", "does not report its network"),
        ("#!/bin/sh\necho 'no JSON'\n", "does not report its network"),
        (network(), "does not report its network"),
    ],
)
def test_an_engine_without_an_answer_is_named(docker: Path, script: str, words: str) -> None:
    docker.write_text(script)
    with pytest.raises(UsageProblem, match=f"--host docker: .*{words}"):
        container_host("docker")


def test_a_missing_docker_command_is_reported(docker: Path) -> None:
    docker.unlink()
    with pytest.raises(UsageProblem, match="there is no docker command on this machine"):
        container_host("docker")


def test_only_our_own_addresses_get_another_name_for_containers() -> None:
    reach = ContainerHost("127.0.0.1", "host.docker.internal")
    assert reach.seen_from_inside(
        {"A": "http://127.0.0.1:80/v2", "B": "127.0.0.1", "C": "http://127.0.0.10:80"}
    ) == {"A": "http://host.docker.internal:80/v2", "B": "127.0.0.1", "C": "http://127.0.0.10:80"}
