"""Owns what tests ask about processes: who runs, who is gone, and where one listens."""

from __future__ import annotations

import time

import psutil

GONE_SECONDS = 10


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(pids: list[int]) -> bool:
    """Wait until none of the processes runs; False when one still does after `GONE_SECONDS`."""
    until = time.monotonic() + GONE_SECONDS
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def listens_on(pid: int) -> set[tuple[str, int]]:
    """Return each address and port on which the process, and no other, takes connections.

    The port of another address may belong to any other process that listens there.
    """
    return {
        (each.laddr.ip, each.laddr.port)
        for each in psutil.Process(pid).net_connections(kind="inet")
        if each.status == psutil.CONN_LISTEN
    }
