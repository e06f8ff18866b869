"""Owns the entry of the `algo-trader` command: signals, exit statuses, errors in one line."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
STOPPED = "everything that was started is stopped"


def main() -> NoReturn:
    """Run the command with the process's arguments and end the process.

    Exit status 0 means succeeded, 1 the run failed, 2 bad usage or configuration, 130 Ctrl-C.
    """
    stop = _StopOnce()
    signal.signal(signal.SIGINT, stop.interrupt)
    signal.signal(signal.SIGTERM, stop.terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a narrow encoding must not end a run
            stream.reconfigure(errors="replace")
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    import click  # noqa: PLC0415 - after the signals: a Ctrl-C during imports ends cleanly too

    from local.cli.app import app  # noqa: PLC0415
    from local.sandbox.runner.problems import UsageProblem  # noqa: PLC0415

    try:
        result = app.main(arguments, prog_name="algo-trader", standalone_mode=False)
        sys.stdout.flush()
    except (UsageProblem, click.UsageError) as problem:
        told = problem.format_message() if isinstance(problem, click.UsageError) else str(problem)
        is_help = isinstance(problem, click.exceptions.NoArgsIsHelpError)
        _tell(told, as_it_is=is_help)
        return WRONG_USAGE
    except click.ClickException as problem:
        _tell(problem.format_message())
        return FAILED
    except (KeyboardInterrupt, click.Abort) as stopped:
        # click's own, at a question, comes without a cause, and before anything is done.
        is_answer = isinstance(stopped, click.Abort) and stopped.__cause__ is None
        _tell(f"interrupted, {'nothing was changed' if is_answer else STOPPED}")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away; what Python would flush at exit has no place to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # a user gets one line, no traceback
        if os.environ.get("ALGO_TRADER_TRACEBACK"):
            raise
        _tell(f"{type(error).__name__}: {error} (ALGO_TRADER_TRACEBACK=1 shows where)")
        return FAILED
    return result if isinstance(result, int) else 0


def _tell(message: str, *, as_it_is: bool = False) -> None:
    one_line = f"algo-trader: {' '.join(message.split())}"
    print(message if as_it_is else one_line, file=sys.stderr)


class _StopOnce:
    """Ends the command on the first signal; later ones must not cut the clean-up short."""

    def __init__(self) -> None:
        self._stopping = False

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Answer Ctrl-C."""
        self._raise(KeyboardInterrupt())

    def terminate(self, _number: int, _frame: FrameType | None) -> None:
        """Answer a plain ``kill``."""
        self._raise(SystemExit(TERMINATED))

    def _raise(self, error: BaseException) -> None:
        if not self._stopping:
            self._stopping = True
            raise error
