"""Owns how containers reach servers on this machine."""

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from local.problems import UsageProblem
from local.server_process import LOOPBACK

# Docker Desktop's name for this machine; containers can use it to reach even loopback ports.
DESKTOP_NAME = "host.docker.internal"
CONTAINERS = "docker"
ASK_SECONDS = 20


@dataclass(frozen=True, slots=True)
class ContainerHost:
    """The address to listen on, and the host name that containers use for it.

    Attributes
    ----------
    name : str
        The address itself if containers can reach it.
    """

    address: str
    name: str

    def seen_from_inside(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Replace the address with the containers' name for it in environment variables."""
        ours, theirs = f"http://{self.address}:", f"http://{self.name}:"
        return {name: value.replace(ours, theirs) for name, value in variables.items()}


def container_host(host: str) -> ContainerHost:
    """Read ``--host``: an address of this machine, or ``docker`` for one that containers reach.

    Raises
    ------
    UsageProblem
        If this machine cannot listen there, or no Docker engine reports its network.
    """
    if host == CONTAINERS:
        bridge = _bridge_address()
        # An engine in a virtual machine has its bridge inside that machine.
        return (
            ContainerHost(bridge, bridge)
            if _can_listen(bridge)
            else ContainerHost(LOOPBACK, DESKTOP_NAME)
        )
    if not _can_listen(host):
        raise UsageProblem(
            f"--host {host}: this machine has no such IPv4 address. Use one that it has, "
            f"or {CONTAINERS} for one that containers reach"
        )
    return ContainerHost(host, host)


def _can_listen(address: str) -> bool:
    try:
        ipaddress.IPv4Address(address)
        socket.create_server((address, 0)).close()
    except (ValueError, OSError):
        return False
    return True


def _bridge_address() -> str:
    """Ask the Docker engine for its address on the containers' network."""
    try:
        answer = subprocess.run(
            ["docker", "network", "inspect", "bridge"],  # noqa: S607 - the docker on the user's PATH
            capture_output=True,
            text=True,
            check=True,
            timeout=ASK_SECONDS,
        )
        (network,) = json.loads(answer.stdout)
        gateways = (str(each.get("Gateway")) for each in network["IPAM"]["Config"])
        return next(each for each in gateways if "." in each)
    except FileNotFoundError as error:
        raise UsageProblem(
            f"--host {CONTAINERS}: there is no docker command on this machine"
        ) from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines()[-1:] or ["docker failed and gave no reason"]
        raise UsageProblem(f"--host {CONTAINERS}: {reason[0]}") from error
    except (subprocess.TimeoutExpired, ValueError, KeyError, StopIteration) as error:
        raise UsageProblem(
            f"--host {CONTAINERS}: the Docker engine does not report its network"
        ) from error
