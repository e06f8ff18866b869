"""Owns the recording of every JSONata expression that the embedded AWS evaluates.

pytest loads this file as a plugin (``-p recorder``). The embedded AWS then starts with this file
instead of its own main, and records each evaluation as one JSON line in the file that
``JSONATA_RECORDING`` names.
"""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path
from typing import Any

RECORDING = "JSONATA_RECORDING"
MAIN = Path(__file__).parents[2] / "local" / "sandbox" / "aws" / "ministack_main.py"


def pytest_configure() -> None:
    """Start every embedded AWS with this file as its main."""
    from local.sandbox.aws import process  # noqa: PLC0415 - pytest extends the path first

    environment = process.MinistackProcess._environment  # noqa: SLF001
    file = {RECORDING: os.environ[RECORDING]}
    process.MinistackProcess._environment = lambda self: environment(self) | file  # noqa: SLF001
    process.MAIN = Path(__file__)


def record(recording: int) -> None:
    """Wrap the single function with which ministack evaluates an expression."""
    from ministack.services import stepfunctions  # noqa: PLC0415

    evaluate = stepfunctions._evaluate_jsonata  # noqa: SLF001

    def recorded(
        expression: str,
        raw_input: Any,
        ctx: dict[str, Any] | None = None,
        result: Any = None,
        error_output: Any = None,
    ) -> Any:
        context = dict(ctx or {})
        variables = context.pop("variables", {})
        evaluation = {
            "state": context["State"]["Name"],
            "expression": expression,
            "variables": variables,
            "states": {
                "input": raw_input,
                "context": context,
                **({} if result is None else {"result": result}),
                **({} if error_output is None else {"errorOutput": error_output}),
            },
        }
        before = json.dumps(evaluation)  # an evaluation may change its arguments
        try:
            value = evaluate(expression, raw_input, ctx, result, error_output)
        except stepfunctions._ExecutionError as error:  # noqa: SLF001
            write(before, {"error": str(error)})
            raise
        write(before, {"value": value})
        return value

    def write(before: str, end: dict[str, Any]) -> None:
        """Append one line in one write, because executions run in threads."""
        os.write(recording, f"{before[:-1]}, {json.dumps(end)[1:]}\n".encode())

    stepfunctions._evaluate_jsonata = recorded  # noqa: SLF001


if __name__ == "__main__":
    record(os.open(os.environ[RECORDING], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    runpy.run_path(str(MAIN), run_name="__main__")
