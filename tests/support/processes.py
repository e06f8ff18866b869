"""Owns the checks of processes: whether they are running, and where they listen."""

from __future__ import annotations

import time

import psutil

GONE_SECONDS = 10


def is_alive(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(pids: list[int]) -> bool:
    """Wait until all processes have ended; return False if one is alive after `GONE_SECONDS`."""
    until = time.monotonic() + GONE_SECONDS
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def listens_on(pid: int) -> set[tuple[str, int]]:
    """Return the addresses and ports on which the process itself accepts connections."""
    return {
        (each.laddr.ip, each.laddr.port)
        for each in psutil.Process(pid).net_connections(kind="inet")
        if each.status == psutil.CONN_LISTEN
    }
