"""Owns the section `fetch`: what Fetch Bars uses for few and for many symbols."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from local.paper_broker import PaperBrokerProcess
from local.paper_broker.data import synthetic_symbol
from local.sandbox.aws import EmbeddedAws, Stack
from tests.bench.section import Rows, Section, Table, in_fresh_process, medians_in_turn

SIZES, REPETITIONS = (5, 100, 1000), 3
BARS = 300
FIRST_SESSION = "2012-06-20"


def measure() -> Sequence[Rows]:
    """Measure every size in turn."""
    with (
        EmbeddedAws(enforce_iam=False) as aws,
        PaperBrokerProcess(synthetic=max(SIZES), requests_per_minute=0) as broker,
    ):
        stack = aws.deploy(
            "bench", dict.fromkeys(("AlpacaTradingUrl", "AlpacaDataUrl"), broker.url)
        )
        sessions = iter(each for each in broker.sessions() if str(each) >= FIRST_SESSION)

        def call(symbols: int) -> dict[str, float]:
            broker.open_session(next(sessions))
            return _call(aws, stack, symbols)

        found = medians_in_turn(REPETITIONS, *(lambda size=size: call(size) for size in SIZES))
    rows = [
        [
            str(size),
            f"{each['cpu']:.2f}",
            f"{each['memory']:.0f}",
            f"{each['payload'] / 1024:.1f}",
            f"{each['artifact'] / 1e6:.2f}",
            f"{each['stored'] / 1e6:.2f}",
        ]
        for size, each in zip(SIZES, found, strict=True)
    ]
    return (rows,)


def _call(aws: EmbeddedAws, stack: Stack, symbols: int) -> dict[str, float]:
    """Call Fetch Bars in a new process, in a new session."""
    s3 = aws.client("s3")
    before = _sizes(s3, stack)
    found = in_fresh_process(
        "tests.bench.fetch_once",
        f"{stack.state_machine_arn.replace(':stateMachine:', ':execution:')}:{len(before)}",
        variables={
            **_environment(aws, stack),
            "SYMBOLS": ",".join(map(synthetic_symbol, range(1, symbols + 1))),
            "STRATEGY": "sma_cross",
            "STRATEGY_PARAMETERS": json.dumps({"fast": 100, "slow": BARS - 1}),
        },
    )
    after = _sizes(s3, stack)
    artifact = found.pop("bars")
    key = urlsplit(artifact.get("s3", "")).path.lstrip("/")
    stored = sum(size for name, size in after.items() if before.get(name) != size)
    return {**found, "artifact": after.get(key, 0), "stored": stored}


def _environment(aws: EmbeddedAws, stack: Stack) -> Mapping[str, str]:
    """Return the deployed function's variables, and those that the runtime adds."""
    function = aws.client("lambda").get_function_configuration(
        FunctionName=f"{stack.name}-fetch-bars"
    )
    return {
        **function["Environment"]["Variables"],
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }


def _sizes(s3: Any, stack: Stack) -> dict[str, int]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix="runs/")
    return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", [])}


SECTION = Section(
    title="Fetch Bars",
    about=f"""\
Fetch Bars runs cold in a process of its own, with {BARS} bars of each symbol. It reads from the
paper broker and the emulated SSM, and writes to the emulated S3. A desk trades at most 500
symbols, and the bench lifts that limit. Processor time is that of the handler's first call,
without the imports. Memory is the process's peak, with the imports. The payload is the step's
result. The artifact has the bars for Compute Indicators. The last column counts all objects of the
run's journal. The figures are medians of three calls, each in a new session.""",
    tables=(
        Table(
            (
                "Symbols",
                "Processor, s",
                "Peak memory, MiB",
                "Payload, KiB",
                "Artifact, MB",
                "Stored in all, MB",
            )
        ),
    ),
    measure=measure,
)
