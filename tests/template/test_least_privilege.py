"""Each role may do what its step or service needs, and nothing more.

There are two proofs. The first compares a stack's grants with the needs that the code, the
definition and the schedules imply. The second runs a whole live day, with every value by reference,
and removes one grant of a function's role at a time. Each removal must make the day incomplete. The
embedded AWS checks the calls to functions against their roles, but not those of the state machine
and Scheduler. Their two roles, and the grants for logs and traces, have only the first proof.
tests/local/cli/test_books_role.py tests the role of the books commands.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import EmbeddedAws, Stack
from local.sandbox.aws.process import ACCOUNT
from tests.support.live_desk import switch_on
from tests.template.calls import FUNCTIONS
from tests.template.needs import Need, all_needs, resource_ids

ROLES = [
    "FetchBarsRole",
    "ComputeIndicatorsRole",
    "DecideOrdersRole",
    "SubmitOrdersRole",
    "NotifyRole",
    "TradingDayRole",
    "BellRole",
    "BooksRole",
]
TRUSTED = {
    "TradingDayRole": {"Service": "states.amazonaws.com"},
    "BellRole": {"Service": "scheduler.amazonaws.com"},
    "BooksRole": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
}
SESSION = date(2012, 6, 20)
SLOTS = [f"{hour:02}{minute:02}" for hour in range(10) for minute in range(0, 60, 5)]
LIMIT = "INLINE_LIMIT_BYTES = 16 * 1024"
STRATEGY = '''"""Owns a strategy that always sends an order, and reads the user's own files."""

from decimal import Decimal

from algotrader.strategy import Indicator, Strategy


class InAndOut(Strategy):
    indicators = {"sma": Indicator("sma", window=2)}

    def features(self, bars, files):
        return {"model": float(files["model.txt"]), "files": float(len(files))}

    def target_weights(self, market, portfolio):
        return {} if portfolio.quantities else {"IBM": Decimal("0.2")}
'''
# Lambda's own actions: the embedded AWS keeps logs and traces without checking the role.
UPKEEP = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
# Without s3:ListBucket, AWS answers 403 for a missing key, but the embedded AWS answers 404. Only
# Fetch Bars and Compute Indicators list objects. The other steps need the grant for their reads.
UNENFORCED = {"s3:ListBucket"}
LISTING = {"FetchBarsRole", "ComputeIndicatorsRole"}
# Only a day with too large a loss needs this action, and such a day has its own test.
BRAKING = "ssm:PutParameter"
# Only the take-over of a run with a decision needs this action, and it has its own test, too.
TAKING_OVER = "states:GetExecutionHistory"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@dataclass(slots=True)
class Bench:
    """A stack with roles that a test can narrow, and a day that it can repeat."""

    aws: EmbeddedAws
    broker: PaperBrokerProcess
    stack: Stack
    stopped: str
    slots: Iterator[str]

    def policies(self, role: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield a role's inline policies: the role's name, the policy's name and the document."""
        iam, name = self.aws.client("iam"), resource_ids(self.aws, self.stack)[role]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            answer = iam.get_role_policy(RoleName=name, PolicyName=policy)
            yield name, policy, answer["PolicyDocument"]

    def grants(self, role: str) -> list[Need]:
        """Return what a role may do, as (action, resource)."""
        return [
            (action, resource)
            for _, _, document in self.policies(role)
            for statement in document["Statement"]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]

    def day(self) -> tuple[str, int, bool, bool]:
        """Run a day in a new slot, which a stopped execution has claimed, and return the result.

        Returns
        -------
        tuple
            The status, the number of orders sent, whether a text reported them, and whether the
            journal has the record.
        """
        slot = next(self.slots)
        journal = f"runs/{SESSION}/{SESSION}-{slot}/"
        claim = {"execution_arn": self.stopped, "state": "running", "at": "2012-06-20T14:00:00Z"}
        s3 = self.aws.client("s3")
        s3.put_object(
            Bucket=self.stack.bucket, Key=f"{journal}claim.json", Body=json.dumps(claim).encode()
        )
        orders, texts = len(self.broker.orders()), len(self.stack.texts())
        end = self.stack.wait(self.stack.start({"slot": slot}))
        reported = [text.sms for text in self.stack.texts()[texts:]]
        found = s3.list_objects_v2(Bucket=self.stack.bucket, Prefix=f"{journal}record.json")
        return (
            end["status"],
            len(self.broker.orders()) - orders,
            any(f"{slot}: {word} " in sms for sms in reported for word in ("bought", "sold")),
            found["KeyCount"] == 1,
        )

    def take_over(self, slot: str) -> str:
        """Mark a finished run as failed, start it again, and return the new status."""
        s3 = self.aws.client("s3")
        place = {"Bucket": self.stack.bucket, "Key": f"runs/{SESSION}/{SESSION}-{slot}/claim.json"}
        claim = json.load(s3.get_object(**place)["Body"])
        s3.put_object(**place, Body=json.dumps(claim | {"state": "failed"}).encode())
        return str(self.stack.wait(self.stack.start({"slot": slot}))["status"])

    @contextmanager
    def without(self, role: str, grant: Need) -> Iterator[None]:
        """Remove one grant from a role until the block ends."""
        iam = self.aws.client("iam")
        before = list(self.policies(role))
        left = [
            {"Effect": "Allow", "Action": action, "Resource": resource}
            for action, resource in self.grants(role)
            if (action, resource) != grant
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": left})
        ((name, policy, _),) = before
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
        try:
            yield
        finally:
            iam.put_role_policy(
                RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(before[0][2])
            )


WHOLE = ("SUCCEEDED", 1, True, True)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the functions with every value by reference and with a user's strategy."""
    folder = tmp_path_factory.mktemp("by-reference") / "functions"
    shutil.copytree(FUNCTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    store = folder / "algotrader" / "adapters" / "store.py"
    source = store.read_text(encoding="utf-8")
    assert LIMIT in source
    store.write_text(source.replace(LIMIT, "INLINE_LIMIT_BYTES = 0"), encoding="utf-8")
    (folder / "strategies" / "in_and_out.py").write_text(STRATEGY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bench(functions: Path) -> Iterator[Bench]:
    with (
        PaperBrokerProcess(session=SESSION, requests_per_minute=0) as broker,
        EmbeddedAws(wait_scale=0.01) as aws,
    ):
        broker.open_session(SESSION, "15:00")
        addresses = {"AlpacaTradingUrl": broker.url, "AlpacaDataUrl": broker.url}
        live = {"TradingMode": "live", "LiveAccountNumber": broker.account()["account_number"]}
        ramp = {"LiveRampDays": "0"}
        settings = {"Strategy": "in_and_out", "Symbols": "IBM", "Slots": ",".join(SLOTS)}
        stack = aws.deploy("desk", addresses | live | ramp | settings, functions)
        switch_on(aws, stack)
        aws.client("s3").put_object(Bucket=stack.bucket, Key="strategies/model.txt", Body=b"1.5")
        stopped = stack.start({"dry_run": True})
        aws.client("stepfunctions").stop_execution(executionArn=stopped)
        assert stack.wait(stopped)["status"] == "ABORTED"
        yield Bench(aws, broker, stack, stopped, itertools.chain(SLOTS))


@pytest.fixture(scope="module")
def needs(bench: Bench) -> dict[str, set[Need]]:
    return all_needs(bench.aws, bench.stack)


def test_nothing_makes_a_client_but_the_one_module_whose_uses_are_followed() -> None:
    importing = {
        path.relative_to(FUNCTIONS).as_posix()
        for path in FUNCTIONS.rglob("*.py")
        if "get_session" in path.read_text(encoding="utf-8")
    }
    assert importing == {"algotrader/adapters/aws.py"}


def test_every_role_of_the_stack_is_looked_at(bench: Bench) -> None:
    resources = resource_ids(bench.aws, bench.stack)
    assert {name for name in resources if name.endswith("Role")} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_granted_all_that_is_needed_each_once_and_nothing_more(
    bench: Bench, needs: dict[str, set[Need]], role: str
) -> None:
    granted = bench.grants(role)
    missing, spare = needs[role] - set(granted), set(granted) - needs[role]
    assert (missing, spare) == (set(), set())
    assert len(granted) == len(set(granted))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_one_policy_of_plain_allowances_for_one_principal(
    bench: Bench, role: str
) -> None:
    iam, name = bench.aws.client("iam"), resource_ids(bench.aws, bench.stack)[role]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    ((_, _, document),) = bench.policies(role)
    for statement in document["Statement"]:
        assert set(statement) == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
    (trust,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == TRUSTED.get(role, {"Service": "lambda.amazonaws.com"})
    assert trust["Action"] == "sts:AssumeRole"


def test_the_whole_day_runs_with_every_role_enforced(bench: Bench) -> None:
    assert [bench.day(), bench.day()] == [WHOLE, WHOLE]


@pytest.mark.parametrize("role", ROLES[:5])
def test_the_day_misses_every_grant_that_is_taken_away(bench: Bench, role: str) -> None:
    rare = UPKEEP | {BRAKING, TAKING_OVER}
    unmissed = set()
    for grant in (each for each in bench.grants(role) if each[0] not in rare):
        with bench.without(role, grant):
            unmissed |= {grant[0]} if bench.day() == WHOLE else set()
    assert unmissed == (set() if role in LISTING else UNENFORCED)
    assert bench.day() == WHOLE


def test_a_take_over_misses_the_grant_to_read_what_was_decided(bench: Bench) -> None:
    slot = next(bench.slots)
    assert bench.stack.wait(bench.stack.start({"slot": slot}))["status"] == "SUCCEEDED"
    assert bench.take_over(slot) == "SUCCEEDED"
    (grant,) = (each for each in bench.grants("FetchBarsRole") if each[0] == TAKING_OVER)
    with bench.without("FetchBarsRole", grant):
        assert bench.take_over(slot) == "FAILED"
    assert bench.take_over(slot) == "SUCCEEDED"


def test_a_day_on_which_too_much_was_lost_misses_the_grant_to_say_so(bench: Bench) -> None:
    s3, ssm = bench.aws.client("s3"), bench.aws.client("ssm")
    (key,) = (
        each["Key"]
        for each in s3.list_objects_v2(Bucket=bench.stack.bucket, Prefix="ledger/")["Contents"]
        if each["Key"].endswith("-performance.json")
    )
    track = json.load(s3.get_object(Bucket=bench.stack.bucket, Key=key)["Body"])
    fallen = json.dumps({**track, "peak": str(Decimal(track["index"]) * 10)}).encode()
    s3.put_object(Bucket=bench.stack.bucket, Key=key, Body=fallen)
    name = bench.stack.trading_state_parameter
    grants = bench.grants("FetchBarsRole")
    (braking,) = (grant for grant in grants if grant[0] == BRAKING)

    with bench.without("FetchBarsRole", braking):
        bench.day()
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"].startswith("ACTIVE")
    assert "Set it yourself with algo-trader reduce" in bench.stack.texts()[-1].email
    bench.day()
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    assert value.startswith("REDUCING DRAWDOWN: 90.00 % below the peak")
