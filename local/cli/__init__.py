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


def main() -> NoReturn:
    """Run the command with the process's arguments and end the process.

    Exit status 0 means succeeded, 1 the run failed, 2 bad usage or configuration, 130 Ctrl-C.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a narrow encoding must not end a run
            stream.reconfigure(errors="replace")
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    import click  # noqa: PLC0415 - after the signals: a Ctrl-C during imports ends cleanly too

    from local.cli.app import app  # noqa: PLC0415
    from local.runner.problems import UsageProblem  # noqa: PLC0415

    try:
        result = app.main(arguments, prog_name="algo-trader", standalone_mode=False)
        sys.stdout.flush()
    except (UsageProblem, click.UsageError) as problem:
        _tell(problem.format_message() if isinstance(problem, click.UsageError) else str(problem))
        return WRONG_USAGE
    except click.ClickException as problem:
        _tell(problem.format_message())
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        _tell("interrupted, everything that was started is stopped")
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


def _tell(message: str) -> None:
    print("algo-trader:", " ".join(message.split()), file=sys.stderr)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    # Once: a second Ctrl-C must not cut the clean-up short and leave processes behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(TERMINATED)
