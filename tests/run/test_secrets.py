"""The broker's keys are in their SecureString and nowhere else, whatever happens in a run."""

from __future__ import annotations

import base64
import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.sandbox.aws import Stack
from tests.run.conftest import Bench
from tests.support.checkout import CHECKOUT
from tests.support.distorting_proxy import Answer, Distortion, as_json

IMPORT_ROOTS = [str(CHECKOUT), str(CHECKOUT / "functions")]
# The keys contain letters that JSON, HTML and URLs escape.
KEYS = {"key_id": "PKMARKEDKEYID0001XYZ", "secret_key": "mArKeD/sEcReT+of<the>&broker='1'=="}
PLACES = {"template", "stack", "configuration", "logs", "history", "texts", "folder"}
CANARY = "the-canary-sings-4711"
RAISING = f'''
"""Raise an error with everything that a strategy can see."""
import os
from algotrader.strategy import Indicator, Strategy

class Raising(Strategy):
    indicators = {{"fast": Indicator("sma", window=5)}}

    def target_weights(self, market, portfolio):
        print({CANARY!r}, dict(os.environ))
        raise RuntimeError({CANARY!r} + str(sorted(os.environ.items())))
'''


def spellings() -> Iterator[str]:
    """Yield every way to write down a key."""
    for key in KEYS.values():
        yield from {
            *(key, repr(key)[1:-1], json.dumps(key)[1:-1], key.replace("/", "\\/")),
            *(html.escape(key), quote(key), quote(key, safe="")),
            base64.b64encode(key.encode()).decode(),
        }


WANTED = tuple(sorted(set(spellings())))


def everything(bench: Bench, stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield everything that a stack and its runs left behind, each piece with its place."""
    aws = bench.aws
    cloudformation, functions = aws.client("cloudformation"), aws.client("lambda")
    for stage in ("Original", "Processed"):
        body = cloudformation.get_template(StackName=stack.name, TemplateStage=stage)
        yield "template", json.dumps(body["TemplateBody"], default=str)
    yield "stack", json.dumps(cloudformation.describe_stacks(StackName=stack.name), default=str)
    for each in functions.list_functions()["Functions"]:
        if each["FunctionName"].startswith(f"{stack.name}-"):
            found = functions.get_function(FunctionName=each["FunctionName"])
            assert found["Configuration"]["Environment"]["Variables"]["BUCKET"] == stack.bucket
            yield "configuration", json.dumps(found, default=str)
    yield from logs_of(aws.client("logs"), stack)
    steps = aws.client("stepfunctions")
    for each in steps.list_executions(stateMachineArn=stack.state_machine_arn)["executions"]:
        yield "history", json.dumps(stack.describe(each["executionArn"]), default=str)
        yield "history", json.dumps(stack.history(each["executionArn"]), default=str)
    s3 = aws.client("s3")
    for each in s3.list_object_versions(Bucket=stack.bucket).get("Versions", []):
        one = s3.get_object(Bucket=stack.bucket, Key=each["Key"], VersionId=each["VersionId"])
        yield (
            "journal",
            f"{each['Key']} {one['Metadata']} {one['Body'].read().decode('utf-8', 'replace')}",
        )
    for text in stack.texts():
        yield "texts", json.dumps(asdict(text), ensure_ascii=False)
    for path in sorted(aws._process.server.folder.rglob("*")):
        if path.is_file():
            yield "folder", f"{path} {path.read_bytes().decode('utf-8', 'replace')}"


def logs_of(logs: Any, stack: Stack) -> Iterator[tuple[str, str]]:
    for prefix in ("/aws/lambda/", "/aws/vendedlogs/states/"):
        groups = logs.describe_log_groups(logGroupNamePrefix=f"{prefix}{stack.name}")["logGroups"]
        for group in groups:
            pages = logs.get_paginator("filter_log_events")
            for page in pages.paginate(logGroupName=group["logGroupName"]):
                for event in page["events"]:
                    yield "logs", f"{group['logGroupName']} {event['message']}"


Pieces = frozenset[tuple[str, str]]
NOTHING: Pieces = frozenset()


def leaks(bench: Bench, stack: Stack, before: Pieces = NOTHING) -> list[str]:
    """List every new piece that contains a key, with the text around the key."""
    pieces = frozenset(everything(bench, stack))
    assert {place for place, _ in pieces} >= PLACES
    return [
        f"{place}: {text[max(0, at - 200) : at + 100]}"
        for place, text in sorted(pieces - before)
        for key in WANTED
        if (at := text.find(key)) >= 0
    ]


def held(bench: Bench, stack: Stack) -> str:
    """Return the value of the SecureString."""
    ssm = bench.aws.client("ssm")
    found = ssm.get_parameter(Name=stack.keys_parameter, WithDecryption=True)["Parameter"]
    assert found["Type"] == "SecureString"
    return str(found["Value"])


@pytest.fixture(scope="module")
def marked(bench: Bench) -> Stack:
    return bench.deploy(keys=KEYS)


def always(status: int, body: str, content_type: str = "application/json") -> Distortion:
    return lambda _method, _path, _answer: Answer(status, body.encode(), content_type)


def at_orders(status: int, body: object) -> Distortion:
    """Refuse every order with this body."""

    def distort(method: str, _path: str, answer: Answer) -> Answer:
        return as_json(body, status) if method == "POST" else answer

    return distort


def with_fields(end: str, **fields: object) -> Distortion:
    """Change fields of one of the broker's objects."""

    def distort(_method: str, path: str, answer: Answer) -> Answer:
        return as_json({**answer.json, **fields}) if path == end else answer

    return distort


KEY_ID, SECRET = KEYS.values()
HEADERS = f"APCA-API-KEY-ID: {KEY_ID}\nAPCA-API-SECRET-KEY: {SECRET}"
PAGE = f"<html><body>{HEADERS}<pre>{html.escape(HEADERS)}</pre></body></html>"
ECHO = f"key {KEY_ID} with secret {SECRET} is not authorized"
WORLDS: dict[str, tuple[Distortion, str]] = {
    "401 that quotes the keys": (
        always(401, json.dumps({"code": 40110000, "message": ECHO})),
        "BROKER_KEYS_REFUSED",
    ),
    "401 that quotes them with JSON's escapes": (
        always(401, json.dumps({"message": ECHO}).replace("/", "\\/").replace("<", "\\u003c")),
        "BROKER_KEYS_REFUSED",
    ),
    "401 that quotes them as URLs do": (
        always(401, json.dumps({"message": f"no account for ?key={quote(SECRET, safe='')}"})),
        "BROKER_KEYS_REFUSED",
    ),
    "403 that quotes them as a page does": (
        always(403, json.dumps({"message": f"forbidden {html.escape(ECHO)}", "code": KEY_ID})),
        "BROKER_KEYS_REFUSED",
    ),
    "500 page that echoes the headers": (always(500, PAGE, "text/html"), "BROKER_ERROR"),
    "200 page that echoes the headers": (always(200, PAGE, "text/html"), "BROKER_ANSWER_NOT_JSON"),
    "422 that echoes the headers": (
        always(422, json.dumps({"message": HEADERS, "code": 1})),
        "BROKER_REFUSED_REQUEST",
    ),
    "302 to an address with the keys": (
        always(302, json.dumps({"message": f"see http://{KEY_ID}:{SECRET}@127.0.0.1/"})),
        "BROKER_REDIRECTED",
    ),
    "account whose status is a key": (
        with_fields("/v2/account", status=SECRET),
        "ACCOUNT_BLOCKED",
    ),
    "account whose cash is a key": (
        with_fields("/v2/account", cash=KEY_ID),
        "BROKER_ANSWER_INVALID",
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_broker_that_quotes_the_keys_is_not_quoted_in_turn(
    bench: Bench, marked: Stack, name: str
) -> None:
    distort, reported = WORLDS[name]
    before = frozenset(everything(bench, marked))
    end = bench.ring(marked, {"scheduled_time": bench.bell}, distort)
    assert end.status == "FAILED"
    assert reported in end.email
    assert leaks(bench, marked, before) == []


def test_a_refusal_of_orders_that_quotes_the_keys_is_reported_without_them(
    bench: Bench, marked: Stack
) -> None:
    before = frozenset(everything(bench, marked))
    words = f"insufficient buying power in {KEY_ID} of {SECRET}"
    refusal = at_orders(403, {"code": 40310000, "message": words})
    end = bench.ring(marked, {"scheduled_time": bench.bell}, refusal)
    assert end.orders_sent > 0
    assert "insufficient buying power in ***" in end.email
    assert leaks(bench, marked, before) == []


def test_a_run_that_succeeds_leaves_the_keys_where_they_are(bench: Bench) -> None:
    stack = bench.deploy(keys=KEYS)
    assert bench.ring(stack, {"scheduled_time": bench.bell, "dry_run": True}).status == "SUCCEEDED"
    assert leaks(bench, stack) == []
    assert json.loads(held(bench, stack)) == KEYS


@pytest.mark.parametrize(
    "value",
    [
        json.dumps(KEYS)[:-3],
        json.dumps({"key_id": KEY_ID, "secretKey": SECRET}),
        json.dumps({"key_id": KEY_ID, "secret_key": [SECRET]}),
        json.dumps({"key_id": KEY_ID, "secret_key": f"{SECRET}\r\nx: {SECRET}"}),
    ],
    ids=["half", "other name", "list", "two lines"],
)
def test_malformed_keys_are_reported_without_their_value(
    bench: Bench, malformed: Stack, value: str
) -> None:
    bench.aws.client("ssm").put_parameter(
        Name=malformed.keys_parameter, Value=value, Type="SecureString", Overwrite=True
    )
    end = bench.ring(malformed, {"scheduled_time": bench.bell})
    assert (end.status, end.error) == ("FAILED", "ConfigurationError")
    assert "KEYS_MALFORMED" in end.sms
    assert leaks(bench, malformed) == []
    assert held(bench, malformed) == value


@pytest.fixture(scope="module")
def malformed(bench: Bench) -> Stack:
    return bench.deploy()


def test_a_strategy_that_raises_with_all_it_can_see_shows_no_key(
    bench: Bench, tmp_path: Path
) -> None:
    functions = tmp_path / "functions"
    shutil.copytree(CHECKOUT / "functions", functions)
    (functions / "strategies" / "raising.py").write_text(RAISING)
    stack = bench.deploy({"Strategy": "raising"}, keys=KEYS, functions=functions)
    end = bench.ring(stack, {"scheduled_time": bench.bell})
    assert (end.status, end.error) == ("FAILED", "StrategyError")
    assert leaks(bench, stack) == []
    # the search does find what such a strategy shows
    shown = {place for place, text in everything(bench, stack) if CANARY in text}
    assert shown >= {"logs", "history", "journal", "texts"}


@pytest.mark.parametrize("arguments", [["run", "--json"], ["plan"]])
def test_the_command_prints_no_key_and_leaves_none_behind(
    bench: Bench, tmp_path: Path, arguments: list[str]
) -> None:
    bench.proxy.distort = always(401, json.dumps({"message": ECHO}))
    try:
        ended = subprocess.run(
            [
                *(sys.executable, "-c", "from local.cli import main; main()"),
                *(*arguments, "--broker-url", bench.proxy.url),
            ],
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(IMPORT_ROOTS), "TMPDIR": str(tmp_path)}
            | {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        bench.proxy.distort = None
    assert ended.returncode == 1
    printed = " ".join((ended.stdout + ended.stderr).split())
    assert "BROKER_KEYS_REFUSED" in printed
    assert [key for key in WANTED if key in printed] == []
    assert list(tmp_path.iterdir()) == []
