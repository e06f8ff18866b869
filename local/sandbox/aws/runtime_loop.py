"""Owns a small Lambda runtime client for systems that AWS's client does not support.

Run this file by its path in the handlers' folder, with the handler's name as its argument. It needs
only the standard library. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html describes
the API.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

MILLISECONDS = 1000
open_url = build_opener(ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Context:
    """An invocation's context, with AWS's names."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    deadline_ms: int

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left until the function's Timeout."""
        return max(0, self.deadline_ms - int(time.time() * MILLISECONDS))


def load(name: str) -> Callable[[Any, Context], Any]:
    """Load a handler by its name, ``module.path.function``."""
    module, _, function = name.rpartition(".")
    handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), function)
    return handler


def failure(error: BaseException, request_id: str = "") -> dict[str, Any]:
    """Describe an exception as AWS's runtime client does; Step Functions matches ``errorType``."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def serve(api: str, handler: Callable[[Any, Context], Any]) -> None:
    """Answer invocations until the process is killed."""
    while True:
        with open_url(f"http://{api}/2018-06-01/runtime/invocation/next") as answer:  # no timeout
            headers, body = answer.headers, answer.read()
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        context = Context(
            aws_request_id=request_id,
            invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
            function_name=name,
            function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
            log_group_name=f"/aws/lambda/{name}",
            log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
            deadline_ms=int(headers["Lambda-Runtime-Deadline-Ms"]),
        )
        try:
            outcome, content = "response", json.dumps(handler(json.loads(body), context))
        except Exception as error:  # noqa: BLE001 - the caller gets every error
            outcome, content = "error", json.dumps(failure(error, request_id))
        _post(f"http://{api}/2018-06-01/runtime/invocation/{request_id}/{outcome}", content)


def main() -> None:
    """Serve the handler that the command line names."""
    api = os.environ["AWS_LAMBDA_RUNTIME_API"]
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds strings
    try:
        handler = load(sys.argv[1])
    except Exception as error:
        _post(f"http://{api}/2018-06-01/runtime/init/error", json.dumps(failure(error)))
        raise
    serve(api, handler)


def _post(url: str, content: str) -> None:
    request = Request(url, content.encode(), {"Content-Type": "application/json"})  # noqa: S310 - http by construction
    open_url(request).close()


if __name__ == "__main__":
    main()
