"""Owns the entry point of `algo-trader`: it sets up signals before slow imports."""

from __future__ import annotations

import io
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED, TERMINATED = 130, 143


def main() -> NoReturn:
    """Run the command with the process's arguments and end the process.

    Exit status: 0 for success; 1 if the run failed; 2 for wrong usage or configuration; 130 after
    Ctrl-C.
    """
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)
    sys.stdout, sys.stderr = _sturdy(sys.stdout), _sturdy(sys.stderr)
    try:
        from local.cli.app import run_command  # noqa: PLC0415 - after the signals are set
    except KeyboardInterrupt:
        print("algo-trader: interrupted; nothing was changed", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(run_command(sys.argv[1:]))


class _Pipe(io.FileIO):
    """An output that ignores what is written after its reader has left, as in ``run | head``."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            return len(content)


def _sturdy(stream: TextIO) -> TextIO:
    """Return an output for the same file that neither its reader nor its encoding can break.

    So a command finishes what it began, and its exit status says how that went.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="replace",  # an ASCII terminal must not end a run
        line_buffering=stream.line_buffering,
    )


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """End the command on the first signal and ignore later ones, so the cleanup can finish."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: None)  # unlike SIG_IGN, child processes do not inherit it
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED)
