"""Owns how a strategy's printed and logged lines reach the function's log, one line per entry."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

from algotrader.plain_text import one_line

#: The entry's message, by which `algo-trader run` finds the lines.
MESSAGE = "Strategy output"
#: The most lines per step, and the most characters per line, because a log costs money.
_MOST_LINES, _LONGEST = 200, 500


Info = Callable[..., None]


class _Lines(io.TextIOBase):
    """A stream that logs each whole line."""

    def __init__(self, info: Info) -> None:
        self._info = info
        self._rest = ""
        self._count = 0

    def write(self, text: str) -> int:
        """Log the lines that the text completes, and keep the rest for the next write."""
        *lines, self._rest = (self._rest + text).split("\n")
        for each in lines:
            self._add(each)
        return len(text)

    def end(self) -> None:
        """Log the last line if it is incomplete, and the number of lines that the log omits."""
        self._add(self._rest)
        if self._count > _MOST_LINES:
            self._info(MESSAGE, line=f"... and {self._count - _MOST_LINES} more lines")

    def _add(self, text: str) -> None:
        line = one_line(text, _LONGEST)
        self._count += bool(line)
        if line and self._count <= _MOST_LINES:
            self._info(MESSAGE, line=line)


class _ToStdout(logging.Handler):
    """A handler that prints, so that a log line goes wherever a print goes at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record with its level."""
        print(f"{record.levelname} {self.format(record)}")  # noqa: T201 - a stream that logs


@contextmanager
def log_strategy_output(info: Info) -> Iterator[None]:
    """Log what the strategy prints, and what it logs with ``logging.getLogger(__name__)``.

    Entries have the message `MESSAGE` and the field ``line``. At most 200 lines of a step reach the
    log, each cut after 500 characters.

    Parameters
    ----------
    info : callable
        A logger's method that takes the message and the fields of an entry.
    """
    logger, handler, lines = logging.getLogger("strategies"), _ToStdout(), _Lines(info)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with redirect_stdout(lines):
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
        lines.end()
