"""Owns the entry point of `algo-trader`: it sets up signals before slow imports."""

from __future__ import annotations

import io
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED, TERMINATED = 130, 143


def main() -> NoReturn:
    """Run the command with the process's arguments and end the process.

    Exit status: 0 for success; 1 if the run failed; 2 for wrong usage or configuration; 130 after
    Ctrl-C.
    """
    stop = _StopOnce()
    signal.signal(signal.SIGINT, stop.interrupt)
    signal.signal(signal.SIGTERM, stop.terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an ASCII terminal must not end a run
            stream.reconfigure(errors="replace")
    try:
        from local.cli.app import run_command  # noqa: PLC0415 - after the signals are set
    except KeyboardInterrupt:
        print("algo-trader: interrupted; nothing was changed", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(run_command(sys.argv[1:]))


class _StopOnce:
    """Ends the command on the first signal and ignores later ones, so the cleanup can finish."""

    def __init__(self) -> None:
        self._stopping = False

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Handle Ctrl-C."""
        self._raise(KeyboardInterrupt())

    def terminate(self, _number: int, _frame: FrameType | None) -> None:
        """Handle ``kill`` without a signal number."""
        self._raise(SystemExit(TERMINATED))

    def _raise(self, error: BaseException) -> None:
        if not self._stopping:
            self._stopping = True
            raise error
