"""Owns one cold step: import the handler, invoke it once, and print the processor time.

``python -m tests.bench.cold_step STEP EVENT [CALLS]`` also writes the step's AWS calls to the file
``CALLS``, if you name one.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

SERVICES = ("s3", "ssm", "sns", "stepfunctions")


class Context:
    """What the handlers and Powertools read of Lambda's context."""

    function_name = "desk-step"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:desk-step"
    aws_request_id = "one"


def record_calls(path: str) -> None:
    """Write each AWS call as a line of JSON: service, operation, parameters."""
    from algotrader.adapters.aws import client  # noqa: PLC0415 - a cold process imports it later

    def note(params: dict[str, object], model: Any, **_: object) -> None:
        shown = {
            name: each.decode(errors="replace") if isinstance(each, bytes) else each
            for name, each in params.items()
        }
        line = [model.service_model.service_name, model.name, shown]
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - no import for a path
            file.write(json.dumps(line) + "\n")

    for service in SERVICES:
        client(service).meta.events.register("provide-client-params.*.*", note)


def main(step: str, event_path: str, calls_path: str = "") -> None:
    """Measure in milliseconds; the total counts from the start of the process."""
    with open(event_path, encoding="utf-8") as file:  # noqa: PTH123 - no import for a path
        event = json.load(file)
    began = time.process_time()
    handler = importlib.import_module(f"{step}.app").lambda_handler
    imported = time.process_time()
    if calls_path:
        record_calls(calls_path)
    handler(event, Context())
    ended = time.process_time()
    seconds = {"import": imported - began, "first": ended - imported, "total": ended}
    print(json.dumps({name: it * 1000 for name, it in seconds.items()}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
