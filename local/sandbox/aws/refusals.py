"""Owns the checks that AWS makes but ministack does not.

Ministack's process installs them before the first request. Each check replaces one
ministack function, so the version of ministack is pinned. docs/decisions/0040 has the sources.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import sns, stepfunctions
from ministack.services.cloudformation import provisioners

from local.sandbox.aws.quotas import (
    MAX_CAUSE_LENGTH,
    MAX_ENVIRONMENT_BYTES,
    MAX_ERROR_LENGTH,
    MAX_SUBJECT_LENGTH,
    MAX_VALUE_BYTES,
    MAX_VARIABLES_BYTES,
    TOO_MUCH_ENVIRONMENT,
    measure,
)

#: Errors that no Retry and no Catch matches, not even one for ``States.ALL``.
DATA_LIMIT_EXCEEDED, RUNTIME = "States.DataLimitExceeded", "States.Runtime"

#: The Unicode categories of control characters, line separators and paragraph separators.
_NOT_ONE_LINE = frozenset({"Cc", "Zl", "Zp"})


def refuse_as_aws_does() -> None:
    """Install every check; call this once, before the first request."""
    _end_executions_uncaught()
    _bound_input()
    _bound_task()
    _bound_output()
    _bound_variables()
    _bound_fail_state()
    _ask_true_or_false()
    _bound_subject()
    _bound_environment()


def _fail(error: str, cause: str) -> Exception:
    failure: Exception = stepfunctions._ExecutionError(error, cause)  # noqa: SLF001
    return failure


def _check_size(value: object, name: str, did: str, most: int = MAX_VALUE_BYTES) -> None:
    if measure(value) > most:
        raise _fail(
            DATA_LIMIT_EXCEEDED,
            f"The state/task '{name}' {did} with a size exceeding the maximum number of bytes "
            "service limit.",
        )


def _end_executions_uncaught() -> None:
    original = stepfunctions._error_matches  # noqa: SLF001

    def matches(names: list[str], error: str) -> bool:
        return error not in {DATA_LIMIT_EXCEEDED, RUNTIME} and original(names, error)

    stepfunctions._error_matches = matches  # noqa: SLF001


def _bound_input() -> None:
    original = stepfunctions._start_execution  # noqa: SLF001

    def start(request: Mapping[str, Any]) -> Any:
        if len(request.get("input", "").encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
            return error_response_json(
                "ValidationException",
                "1 validation error detected: Value at 'input' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_VALUE_BYTES}",
                400,
            )
        return original(request)

    stepfunctions._start_execution = start  # noqa: SLF001


def _bound_task() -> None:
    """Limit the size of a task's evaluated Arguments and of its result."""
    original = stepfunctions._invoke_resource  # noqa: SLF001

    def invoke(resource: str, arguments: object) -> Any:
        _check_size(arguments, resource, "provided parameters")
        result = original(resource, arguments)
        _check_size(result, resource, "returned a result")
        return result

    stepfunctions._invoke_resource = invoke  # noqa: SLF001


def _bound_output() -> None:
    original = stepfunctions._apply_jsonata_output  # noqa: SLF001

    def apply(state: Any, state_input: Any, context: Any = None, **given: Any) -> Any:
        output = original(state, state_input, context, **given)
        _check_size(output, _name_in(context), "returned a result")
        return output

    stepfunctions._apply_jsonata_output = apply  # noqa: SLF001


def _bound_variables() -> None:
    """Evaluate an Assign before it changes any variable; limit its size and the total size."""

    def assign(state: Any, state_input: Any, context: Any, **given: Any) -> None:
        if "Assign" not in state:
            return
        assigned = stepfunctions._apply_jsonata_template(  # noqa: SLF001
            state["Assign"], state_input, context, **given
        )
        name, variables = _name_in(context), context["variables"]
        _check_size(assigned, name, "assigned variables")
        _check_size({**variables, **assigned}, name, "left variables", MAX_VARIABLES_BYTES)
        variables.update(assigned)

    stepfunctions._apply_state_assign = assign  # noqa: SLF001


def _bound_fail_state() -> None:
    original = stepfunctions._fail_state_error  # noqa: SLF001

    def read(*given: Any) -> tuple[str, str]:
        error, cause = original(*given)
        for field, text, most in (
            ("Error", error, MAX_ERROR_LENGTH),
            ("Cause", cause, MAX_CAUSE_LENGTH),
        ):
            if len(text) > most:
                raise _fail(RUNTIME, f"{field} has {len(text)} characters, more than {most}.")
        return error, cause

    stepfunctions._fail_state_error = read  # noqa: SLF001


def _ask_true_or_false() -> None:
    def evaluate(rule: Any, state_input: Any, context: Any) -> Any:
        return stepfunctions._jsonata_state_field(  # noqa: SLF001
            rule, "Condition", "boolean", state_input, context
        )

    stepfunctions._evaluate_jsonata_choice_rule = evaluate  # noqa: SLF001


def _bound_subject() -> None:
    original = sns.publish_internal

    def publish(topic: str, message: Any, subject: str = "", **given: Any) -> Any:
        is_one_line = _NOT_ONE_LINE.isdisjoint(map(unicodedata.category, subject))
        if len(subject) > MAX_SUBJECT_LENGTH or not is_one_line:
            raise sns.SnsPublishError("InvalidParameter", "Invalid parameter: Subject")
        return original(topic, message, subject, **given)

    sns.publish_internal = publish


def _bound_environment() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]  # noqa: SLF001
    handlers["create"] = _checking(handlers["create"], 1)
    handlers["update"] = _checking(handlers["update"], 2)


def _checking(provision: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Wrap a provisioner in a check of the environment in its argument at ``position``."""

    def check(*given: Any, **named: Any) -> Any:
        variables = given[position].get("Environment", {}).get("Variables", {})
        if measure(variables) > MAX_ENVIRONMENT_BYTES:
            raise ValueError(TOO_MUCH_ENVIRONMENT + json.dumps(variables, separators=(",", ":")))
        return provision(*given, **named)

    return check


def _name_in(context: Mapping[str, Any]) -> str:
    return str(context["State"]["Name"])
