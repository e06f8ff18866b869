"""Owns work that is done apart, most of which a process does not survive."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from decimal import Decimal

from msgspec import Struct

from algotrader.errors import StrategyError

state = {"changed": False}


class Pair(Struct, frozen=True):
    """Two values that JSON does not know."""

    left: Decimal
    right: tuple[float, ...]


def swap(given: Pair) -> Pair:
    return Pair(left=Decimal(repr(given.right[0])), right=(float(given.left),))


def refuse(given: str) -> str:
    raise StrategyError("STRATEGY_BROKEN", "Mend it.", file=given)


def crash(given: str) -> str:
    raise RuntimeError(given)


def leave(given: str) -> str:
    raise SystemExit(given)


def drop_dead(given: str) -> str:
    os._exit(int(given))


def sleep(given: float) -> float:
    time.sleep(given)
    return given


def leave_a_child_behind(given: str) -> str:
    """Start what would write a file a second later."""
    code = f"import time; time.sleep(1); open({given!r}, 'w').close()"
    subprocess.Popen([sys.executable, "-S", "-c", code])
    return given


def lie(given: str) -> int:
    return given


def chatter(given: str) -> str:
    print(given)
    os.write(1, b'{"error": "not so"}')
    return given


def meddle(given: str) -> str:
    state["changed"] = True
    os.environ["MEDDLED"] = given
    return given


def take_memory(given: int) -> int:
    return len(bytearray(given))
