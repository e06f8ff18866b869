"""A function makes its AWS clients while Lambda initializes it, and only then."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support.checkout import CHECKOUT

LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "desk-step"}
IMPORT = """
import importlib, json, sys
from algotrader.adapters.aws import clients_from
made = []
def make(service):
    made.append(service)
    if "fails" in sys.argv:
        raise OSError
with clients_from(make):
    importlib.import_module(sys.argv[1])
print(json.dumps(made))
"""


def clients_of(step: str, *arguments: str, variables: dict[str, str]) -> list[str]:
    """Import a handler in a new process, and return the services whose clients it makes."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, f"{step}.app", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT / "functions"),
            **variables,
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("step", "services"),
    [
        ("fetch_bars", ["s3", "ssm"]),
        ("compute_indicators", []),
        ("decide_orders", []),
        ("submit_orders", ["s3", "ssm"]),
        ("notify", ["s3", "sns"]),
    ],
)
def test_in_lambda_a_step_makes_the_clients_of_every_run_before_its_first_event(
    step: str, services: list[str]
) -> None:
    assert clients_of(step, variables=LAMBDA) == services


def test_outside_lambda_importing_a_handler_makes_no_client() -> None:
    assert clients_of("notify", variables={}) == []


def test_a_client_that_cannot_be_made_does_not_stop_the_import() -> None:
    assert clients_of("notify", "fails", variables=LAMBDA) == ["s3"]
