"""A user creates, updates, deletes and recreates a stack, and keeps the data."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable, Iterator
from datetime import date

import pytest

from local.paper_broker import PaperBrokerProcess
from local.sandbox.aws import EmbeddedAws, Stack
from local.sandbox.aws.template import read_definition, read_template
from tests.template.conftest import IMAGE
from tests.template.needs import all_needs, resource_ids

SESSION = date(2012, 6, 20)
QUIET = {"ScheduleState": "DISABLED", "ReportScheduleState": "DISABLED"}


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(wait_scale=0.01) as aws:
        yield aws


@pytest.fixture(scope="module")
def broker() -> Iterator[PaperBrokerProcess]:
    with PaperBrokerProcess(session=SESSION, requests_per_minute=0) as broker:
        broker.open_session(SESSION)
        yield broker


class Packaged:
    """The template as `sam deploy` passes it to CloudFormation, with images and definition."""

    def __init__(self, aws: EmbeddedAws, stack: str) -> None:
        self.cloudformation, self.stack = aws.client("cloudformation"), stack
        self.changes = (f"change-{number}" for number in itertools.count())
        s3, template = aws.client("s3"), read_template()
        s3.create_bucket(Bucket="packaged")
        definition = json.dumps(read_definition(template)).encode()
        s3.put_object(Bucket="packaged", Key="trading.asl", Body=definition)
        for each in template["Resources"].values():
            if each["Type"] == "AWS::Serverless::Function":
                each["Properties"]["ImageUri"] = IMAGE
            if each["Type"] == "AWS::Serverless::StateMachine":
                each["Properties"]["DefinitionUri"] = {"Bucket": "packaged", "Key": "trading.asl"}
        s3.put_object(Bucket="packaged", Key="template", Body=json.dumps(template).encode())
        self.url = f"{aws.endpoint_url}/packaged/template"

    def deploy(self, parameters: dict[str, str], tags: dict[str, str]) -> dict[str, str]:
        """Deploy through a change set, as SAM does, and return the stack's resources."""
        known, change = bool(self.status()), next(self.changes)
        self.cloudformation.create_change_set(
            StackName=self.stack,
            ChangeSetName=change,
            ChangeSetType="UPDATE" if known else "CREATE",
            TemplateURL=self.url,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in (QUIET | parameters).items()
            ],
            Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        self.cloudformation.get_waiter("change_set_create_complete").wait(
            StackName=self.stack, ChangeSetName=change, WaiterConfig={"Delay": 1}
        )
        self.cloudformation.execute_change_set(StackName=self.stack, ChangeSetName=change)
        assert self.settle() == ("UPDATE_COMPLETE" if known else "CREATE_COMPLETE")
        found = self.cloudformation.describe_stack_resources(StackName=self.stack)
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in found["StackResources"]
        }

    def status(self) -> str:
        """Return the stack's status, or an empty string without a stack."""
        try:
            (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        except self.cloudformation.exceptions.ClientError:
            return ""
        return str(stack["StackStatus"])

    def settle(self) -> str:
        """Wait until the stack's operation is over."""
        until = time.monotonic() + 30
        while (status := self.status()).endswith(("IN_PROGRESS", "_PENDING")):
            assert time.monotonic() < until, status
            time.sleep(0.05)
        return status


def test_the_packaged_template_is_created_updated_and_deleted_without_an_error(
    aws: EmbeddedAws,
) -> None:
    packaged = Packaged(aws, "packaged-desk")
    first = packaged.deploy({}, {"application": "algo-trader"})
    for parameters in (
        {"MaxOrderNotional": "100"},
        {"Strategy": "sma_cross", "StrategyParameters": '{"fast": 5}'},
        {"Slots": "0935,1530", "ScheduleExpression": "cron(35 9,15 ? * MON-FRI *)"},
        {"Architecture": "arm64"},
    ):
        assert packaged.deploy(parameters, {"application": "mine"}) == first
    more = packaged.deploy({"PhoneNumber1": "+12065550100", "Email": "a@b.example"}, {})
    assert set(more) - set(first) == {"Phone1", "Mail"}
    assert packaged.deploy({}, {}) == first
    packaged.cloudformation.delete_stack(StackName="packaged-desk")
    assert packaged.settle() == ""
    buckets = {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert first["Artifacts"] in buckets


def objects(aws: EmbeddedAws, bucket: str) -> dict[str, str]:
    """Return the ETag of every object in a bucket."""
    found = aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: each["ETag"] for each in found}


def ring(stack: Stack) -> str:
    """Run a day and return its text."""
    end = stack.wait(stack.start({}))
    assert end["status"] == "SUCCEEDED", end["cause"]
    return stack.texts()[-1].sms


def test_a_desk_keeps_all_it_has_through_updates_and_starts_again_from_its_orders(
    aws: EmbeddedAws, broker: PaperBrokerProcess
) -> None:
    wide = {"AlpacaTradingUrl": broker.url, "AlpacaDataUrl": broker.url, "NoTradeBand": "0.05"}
    stack = aws.deploy("desk", wide)
    state = {"Name": stack.trading_state_parameter, "Value": "ACTIVE by hand", "Type": "String"}
    aws.client("ssm").put_parameter(**state)
    assert ": bought " in ring(stack)
    held, journal = broker.positions(), objects(aws, stack.bucket)
    assert {key.partition("/")[0] for key in journal} == {"ledger", "runs"}

    for change in ({"Capital": "50000"}, {"Strategy": "sma_cross"}, {}):
        updated = aws.deploy("desk", wide | change, tags={"change": str(len(change))})
        assert updated.outputs == stack.outputs
        assert objects(aws, stack.bucket) == journal

    stack.delete()
    assert objects(aws, stack.bucket) == journal
    fresh = aws.deploy("desk", wide)
    assert fresh.bucket != stack.bucket
    assert objects(aws, fresh.bucket) == {}
    kept = aws.client("ssm").get_parameter(Name=fresh.trading_state_parameter)["Parameter"]
    assert kept["Value"] == state["Value"]

    # The session's claim and the ledger are in the old bucket, but the broker still has the orders.
    assert ": no orders: " in ring(fresh)
    assert broker.positions() == held
    assert holdings(aws, fresh) == {each["symbol"]: each["qty"] for each in held}
    assert objects(aws, stack.bucket) == journal


def holdings(aws: EmbeddedAws, stack: Stack) -> dict[str, str]:
    """Return the desk's holdings as its last run saw them at the start."""
    key = f"runs/{SESSION}/{SESSION}-day/record.json"
    record = json.load(aws.client("s3").get_object(Bucket=stack.bucket, Key=key)["Body"])
    ledger = record["snapshot"]["ledger"]["holdings"]
    return {symbol: holding["qty"] for symbol, holding in ledger.items()}


@pytest.fixture(scope="module")
def desks(aws: EmbeddedAws) -> tuple[Stack, Stack]:
    live = {"TradingMode": "live", "LiveAccountNumber": "123456789"}
    return aws.deploy("algo-trader", {}), aws.deploy("algo-trader-live", live)


def test_a_paper_and_a_live_desk_share_no_resource(
    aws: EmbeddedAws, desks: tuple[Stack, Stack]
) -> None:
    paper, live = (resource_ids(aws, each) for each in desks)
    assert set(paper) == set(live)
    assert set(paper.values()).isdisjoint(live.values())
    assert set(desks[0].outputs.values()).isdisjoint(desks[1].outputs.values())


@pytest.mark.parametrize("own", [0, 1])
def test_no_role_of_one_desk_reaches_the_other(
    aws: EmbeddedAws, desks: tuple[Stack, Stack], own: int
) -> None:
    mine, theirs = desks[own], desks[1 - own]
    roles = resource_ids(aws, mine)
    foreign = {each for needs in all_needs(aws, theirs).values() for _, each in needs} - {"*"}
    for role, needs in all_needs(aws, mine).items():
        for action, resource in needs:
            assert decisions(aws, roles[role], {action}, resource) == {"allowed"}, role
        actions = {action for action, resource in needs if resource != "*"}
        for resource in foreign:
            assert decisions(aws, roles[role], actions, resource) == {"implicitDeny"}, resource


def decisions(aws: EmbeddedAws, role: str, actions: Iterable[str], resource: str) -> set[str]:
    """Ask IAM what a role may do to a resource, or to an example of a pattern."""
    results = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::000000000000:role/{role}",
        ActionNames=list(actions),
        ResourceArns=[resource if resource == "*" else resource.replace("*", "x")],
    )
    return {each["EvalDecision"] for each in results["EvaluationResults"]}
