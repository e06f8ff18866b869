"""Owns the floor of a cold step: only imports that it cannot avoid, and the same calls.

``python -m tests.bench.cold_floor WORK`` reads a JSON document with the packages to import, the
event, the AWS calls and the broker's requests. It prints the processor time in milliseconds.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def call_aws(calls: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Make the calls with botocore's clients, as `algotrader.adapters.aws` makes them."""
    from botocore import xform_name  # noqa: PLC0415 - part of what is measured
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import ClientError  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    session, config = get_session(), Config(retries={"mode": "standard", "total_max_attempts": 3})
    clients: dict[str, Any] = {}
    for service, operation, parameters in calls:
        if service not in clients:
            clients[service] = session.create_client(service, config=config)
        try:
            answer = getattr(clients[service], xform_name(operation))(**parameters)
        except ClientError:  # an object or a parameter that does not exist
            continue
        if operation == "GetObject":
            answer["Body"].read()


def call_broker(url: str, requests: list[tuple[str, str, str]]) -> None:
    """Send the requests with the HTTP session of alpaca-trade-api."""
    from alpaca_trade_api import REST  # noqa: PLC0415 - part of what is measured

    session = REST("key", "secret", url)._session
    session.trust_env = False
    for method, path, body in requests:
        answer = session.request(method, url + path, data=body or None, timeout=(3, 10))
        if answer.content:
            answer.json()


def main(path: str) -> None:
    """Import and call, then print the processor time since the start of the process."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - no import for a path
        work = json.load(file)
    for package in work["imports"]:
        importlib.import_module(package)
    if work["aws"]:
        call_aws(work["aws"])
    if work["requests"]:
        call_broker(work["broker"], work["requests"])
    print(json.dumps({"total": time.process_time() * 1000}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
