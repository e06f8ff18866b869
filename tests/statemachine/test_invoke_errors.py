"""A state retries each error of a function call, or the page lists why not.

The names are from AWS's own model of Lambda's Invoke in botocore, and from Step Functions.
"""

from __future__ import annotations

import re

import botocore.session
import pytest

from tests.docs.markdown import code_spans, table
from tests.statemachine.scenarios import STEPS
from tests.statemachine.walks import Definition

pytestmark = pytest.mark.asl

ADDED_BY_STEP_FUNCTIONS = {
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
}
LEAST_WORDS = 5


@pytest.fixture(scope="module")
def possible() -> set[str]:
    model = botocore.session.Session().get_service_model("lambda").operation_model("Invoke")
    return {f"Lambda.{shape.name}" for shape in model.error_shapes} | ADDED_BY_STEP_FUNCTIONS


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    """Return every error that the page lists as not retried, with its reason."""
    rows = table("docs/errors.md", "Errors of Lambda that are not retried")
    pairs = zip(rows.column("Error"), rows.column("Why no state retries it"), strict=True)
    return {name: why for cell, why in pairs for name in code_spans(cell)}


def retried_by(definition: Definition, state: str) -> set[str]:
    return {name for rule in definition["States"][state]["Retry"] for name in rule["ErrorEquals"]}


def test_the_model_names_what_an_idle_image_answers(possible: set[str]) -> None:
    assert "Lambda.CodeArtifactUserPendingException" in possible
    assert len(possible) > 40


def test_every_error_of_an_invocation_is_retried_or_listed_with_why_not(
    definition: Definition, possible: set[str], listed: dict[str, str]
) -> None:
    in_every_state = set.intersection(
        *(retried_by(definition, state) for state in [*STEPS, "Notify Failure"])
    )
    assert set(listed) == possible - in_every_state


def test_every_reason_is_one(listed: dict[str, str]) -> None:
    for name, why in listed.items():
        assert len(re.findall(r"\w+", why)) >= LEAST_WORDS, name


def test_what_only_a_deploy_can_fix_is_not_retried(
    definition: Definition, listed: dict[str, str]
) -> None:
    assert "Lambda.CodeArtifactUserFailedException" in listed
    for state in STEPS:
        assert not retried_by(definition, state) & set(listed) - {"Lambda.Unknown"}, state
