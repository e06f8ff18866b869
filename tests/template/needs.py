"""Owns what each role of a deployed stack needs, derived from calls, definition and schedules.

A need is an action and the resource that a policy must name for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from local.sandbox.aws import EmbeddedAws, Stack
from local.sandbox.aws.template import read_template
from tests.template.calls import calls_of

Need = tuple[str, str]

STEPS = {
    "FetchBars": "fetch_bars",
    "ComputeIndicators": "compute_indicators",
    "DecideOrders": "decide_orders",
    "SubmitOrders": "submit_orders",
    "Notify": "notify",
}
ARTIFACTS = ("algotrader.adapters.store", "Store")  # its callers pass the keys
S3_ACTIONS = {
    "get_object": {"s3:GetObject"},
    "put_object": {"s3:PutObject"},
    "list_objects_v2": set[str](),  # needs s3:ListBucket, as a read of a missing key does
}
# What a service itself does with a role. Its documentation asks for "*" as the resource.
FUNCTION_TRACING = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
MACHINE_TRACING = FUNCTION_TRACING | {"xray:GetSamplingRules", "xray:GetSamplingTargets"}
MACHINE_LOGGING = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
INTEGRATIONS = {
    "arn:aws:states:::lambda:invoke": ("lambda:InvokeFunction", "FunctionName"),
    "arn:aws:states:::sns:publish": ("sns:Publish", "TopicArn"),
}


def function_needs(aws: EmbeddedAws, stack: Stack, function: str) -> set[Need]:
    """Derive what a step's role needs from the step's code and configuration."""
    name = resource_ids(aws, stack)[function]
    configuration = aws.client("lambda").get_function_configuration(FunctionName=name)
    return code_needs(stack, STEPS[function], configuration["Environment"]["Variables"]) | (
        upkeep_needs(configuration)
    )


def upkeep_needs(configuration: Mapping[str, Any]) -> set[Need]:
    """Return what Lambda itself needs for a function's log and trace."""
    region, account = configuration["FunctionArn"].split(":")[3:5]
    group = configuration["LoggingConfig"]["LogGroup"]
    log = f"arn:aws:logs:{region}:{account}:log-group:{group}:*"
    needs = {(action, log) for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    if configuration["TracingConfig"]["Mode"] == "Active":
        needs |= {(action, "*") for action in FUNCTION_TRACING}
    return needs


def code_needs(stack: Stack, step: str, environment: Mapping[str, str]) -> set[Need]:
    """Derive what a step's calls need."""
    calls = calls_of(step)
    made = {call for found in calls.by_node.values() for call in found}
    region, account = stack.state_machine_arn.split(":")[3:5]
    runs = stack.state_machine_arn.replace(":stateMachine:", ":execution:") + ":*"
    needs = s3_needs(step, environment["BUCKET"])
    for service, operation in made:
        match service, operation:
            case "s3", _:
                continue
            case "ssm", "get_parameter":
                names = [each for each in calls.variables if each.endswith("_PARAMETER")]
                owner = f"arn:aws:ssm:{region}:{account}:parameter"
                needs |= {("ssm:GetParameter", owner + environment[name]) for name in names}
            case "ssm", "put_parameter":  # only the switch, never the keys
                owner = f"arn:aws:ssm:{region}:{account}:parameter"
                needs.add(("ssm:PutParameter", owner + environment["TRADING_STATE_PARAMETER"]))
            case "sns", "publish":
                names = [each for each in calls.variables if each.endswith("_ARN")]
                needs |= {("sns:Publish", environment[name]) for name in names}
            case "cloudformation", "describe_stacks":  # only this stack
                needs.add(("cloudformation:DescribeStacks", environment["STACK_ID"]))
            case "stepfunctions", "describe_execution":  # any run of this state machine
                needs.add(("states:DescribeExecution", runs))
            case "stepfunctions", "get_execution_history":
                needs.add(("states:GetExecutionHistory", runs))
            case _:
                message = f"{step} calls {service} {operation}: add here what the call needs"
                raise AssertionError(message)
    return needs


def s3_needs(step: str, bucket: str) -> set[Need]:
    """Derive what a step needs in the bucket: each call with each prefix that can reach it."""
    calls = calls_of(step)
    arn = f"arn:aws:s3:::{bucket}"
    callers = {
        node: {operation for service, operation in made if service == "s3"}
        for node, made in calls.by_node.items()
    }
    given = {
        prefix
        for node, found in calls.prefixes.items()
        if node == ARTIFACTS or not callers.get(node)
        for prefix in found
    }
    needs = set()
    for node, made in callers.items():
        for operation in made:
            assert operation in S3_ACTIONS, (
                f"{node} calls {operation}: add here what the call needs"
            )
            reach = widest(given if node == ARTIFACTS else calls.prefixes.get(node, set()))
            assert reach, f"{node} calls {operation} on keys that cannot be read off its source"
            actions = S3_ACTIONS[operation]
            needs |= {(action, f"{arn}/{prefix}*") for action in actions for prefix in reach}
            if operation != "put_object":  # without it AWS answers 403 for a missing key, not 404
                needs.add(("s3:ListBucket", arn))
    return needs


def widest(found: set[str]) -> set[str]:
    """Leave out the prefixes that are below another one."""
    return {
        each
        for each in found
        if not any(fnmatchcase(each, f"{other}*") for other in found - {each})
    }


def books_needs(stack: Stack) -> set[Need]:
    """Return what the books commands do with the bucket; their tests need each of these actions."""
    arn = f"arn:aws:s3:::{stack.bucket}"
    objects = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")
    return {(action, f"{arn}/ledger/*") for action in objects} | {
        (action, arn) for action in ("s3:ListBucket", "s3:ListBucketVersions")
    }


def machine_needs(aws: EmbeddedAws, stack: Stack) -> set[Need]:
    """Derive what the state machine's role needs from the deployed definition."""
    machine = aws.client("stepfunctions").describe_state_machine(
        stateMachineArn=stack.state_machine_arn
    )
    needs = set()
    for state in json.loads(machine["definition"])["States"].values():
        if state["Type"] == "Task":
            action, argument = INTEGRATIONS[state["Resource"]]
            needs.add((action, state["Arguments"][argument]))
    # ministack stores these two properties but does not return them.
    properties = read_template()["Resources"]["TradingDay"]["Properties"]
    if properties["Logging"]["Level"] != "OFF":
        needs |= {(action, "*") for action in MACHINE_LOGGING}
    if properties["Tracing"]["Enabled"]:
        needs |= {(action, "*") for action in MACHINE_TRACING}
    return needs


def bell_needs(aws: EmbeddedAws, stack: Stack) -> set[Need]:
    """Derive what the bells' role needs from their targets."""
    scheduler = aws.client("scheduler")
    needs = set()
    for name in schedules(aws, stack):
        target = scheduler.get_schedule(Name=name)["Target"]
        needs.add(("states:StartExecution", target["Arn"]))
        needs.add(("sqs:SendMessage", target["DeadLetterConfig"]["Arn"]))
    return needs


def schedules(aws: EmbeddedAws, stack: Stack) -> list[str]:
    resources = aws.client("cloudformation").describe_stack_resources(StackName=stack.name)
    return [
        each["PhysicalResourceId"].rpartition("/")[2]
        for each in resources["StackResources"]
        if each["ResourceType"] == "AWS::Scheduler::Schedule"
    ]


def resource_ids(aws: EmbeddedAws, stack: Stack) -> dict[str, str]:
    """Return the physical ids of a stack's resources by logical id."""
    resources = aws.client("cloudformation").describe_stack_resources(StackName=stack.name)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in resources["StackResources"]
    }


def all_needs(aws: EmbeddedAws, stack: Stack) -> dict[str, set[Need]]:
    """Derive what every role of a stack needs, by the role's logical id."""
    needs = {f"{name}Role": function_needs(aws, stack, name) for name in STEPS}
    needs["TradingDayRole"] = machine_needs(aws, stack)
    needs["BellRole"] = bell_needs(aws, stack)
    needs["BooksRole"] = books_needs(stack)
    return needs
