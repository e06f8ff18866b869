"""Our runtime client passes the same values to Step Functions as AWS's client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sandbox.aws import EmbeddedAws, Stack

HANDLERS = {
    "fetch_bars": "def lambda_handler(event, context): return {'got': event}",
    "compute_indicators": (
        "def lambda_handler(event, context):\n"
        "    raise type('Lambda.ServiceException', (Exception,), {})('it broke: ä')"
    ),
    "decide_orders": "import no_such_module",
    "submit_orders": "import os\ndef lambda_handler(event, context): os._exit(3)",
    "notify": (
        "def lambda_handler(event, context):\n"
        "    return {'function_name': context.function_name,\n"
        "            'arn': context.invoked_function_arn,\n"
        "            'memory': str(context.memory_limit_in_mb),\n"
        "            'has_id': bool(context.aws_request_id),\n"
        "            'time_left': 50_000 < context.get_remaining_time_in_millis() <= 60_000}"
    ),
}


@pytest.fixture(scope="module", params=[False, True], ids=["awslambdaric", "own loop"])
def aws(request: pytest.FixtureRequest) -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0, own_loop=request.param) as aws:
        yield aws


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("functions")
    for step, source in HANDLERS.items():
        (folder / step).mkdir()
        (folder / step / "app.py").write_text(source + "\n")
    return aws.deploy("desk", {}, Path(folder))


def invoke(aws: EmbeddedAws, step: str, event: Any = None) -> tuple[Any, bool]:
    answer = aws.client("lambda").invoke(
        FunctionName=f"desk-{step}", Payload=json.dumps(event).encode()
    )
    return json.load(answer["Payload"]), "FunctionError" in answer


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("event", [{"a": [1, None, "ä"]}, [1], "x", 5, None])
def test_an_event_and_a_result_pass_unchanged(aws: EmbeddedAws, event: object) -> None:
    for _ in range(2):  # the second call reaches a warm process
        assert invoke(aws, "fetch-bars", event) == ({"got": event}, False)


@pytest.mark.usefixtures("stack")
def test_an_error_keeps_its_class_s_own_name_and_the_process_lives_on(aws: EmbeddedAws) -> None:
    for _ in range(2):
        body, failed = invoke(aws, "compute-indicators")
        assert failed
        assert body["errorType"] == "Lambda.ServiceException"
        assert body["errorMessage"] == "it broke: ä"
        assert "app.py" in "".join(body["stackTrace"])


@pytest.mark.usefixtures("stack")
def test_a_handler_that_cannot_be_loaded_is_reported(aws: EmbeddedAws) -> None:
    body, failed = invoke(aws, "decide-orders")
    assert failed
    assert "no_such_module" in body["errorMessage"]


@pytest.mark.usefixtures("stack")
def test_a_process_that_dies_is_reported_and_replaced(aws: EmbeddedAws) -> None:
    for _ in range(2):
        body, failed = invoke(aws, "submit-orders")
        assert failed
        assert body["errorType"] == "Runtime.ExitError"


@pytest.mark.usefixtures("stack")
def test_a_handler_is_reported_of_its_invocation(aws: EmbeddedAws) -> None:
    assert invoke(aws, "notify")[0] == {
        "function_name": "desk-notify",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:desk-notify",
        "memory": "512",
        "has_id": True,
        "time_left": True,
    }
