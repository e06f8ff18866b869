"""Owns one measured call of Fetch Bars, in a process of its own."""

from __future__ import annotations

import json
import resource
import sys
import time

from algotrader.adapters import universes
from fetch_bars.app import lambda_handler
from tests.support.lambda_context import LambdaContext


def main(execution_arn: str) -> None:
    """Call the handler, and print the figures as JSON."""
    universes.MAX_SYMBOLS = sys.maxsize
    imported = time.process_time()
    result = lambda_handler(
        {"contract": 1, "execution_arn": execution_arn, "input": {}}, LambdaContext()
    )
    figures = {
        "cpu": time.process_time() - imported,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "payload": len(json.dumps(result)),
        "bars": result["bars"],
    }
    print(json.dumps(figures))  # noqa: T201 - the bench reads it


if __name__ == "__main__":
    main(sys.argv[1])
