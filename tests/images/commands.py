"""Owns the commands that the tests of the images run: sam as a user would, and docker."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.checkout import CHECKOUT

SAM = CHECKOUT / ".venv-sam" / "bin" / "sam"
BUILT = CHECKOUT / ".aws-sam" / "build" / "template.yaml"
# Logical id in template.yaml, and the step that it runs.
FUNCTIONS = {
    "fetch_bars": "FetchBars",
    "compute_indicators": "ComputeIndicators",
    "decide_orders": "DecideOrders",
    "submit_orders": "SubmitOrders",
    "notify": "Notify",
}
LOG_TAIL = 3000
PARSER = Path(__file__).with_name("sam_parser.py")
ENTER = "\n"
MOST_QUESTIONS = 100


def sam(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run sam in the checkout, away from the user's AWS; with keys it would ask whose they are."""
    return subprocess.run(
        [str(SAM), *arguments],
        cwd=CHECKOUT,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the user's AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    own = {
        "SAM_CLI_TELEMETRY": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    return kept | own


def arrivals(folder: Path, *lines: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the SAM command makes of lines that a user types in a folder, one after another.

    Every question of ``--guided`` is answered with Enter.
    """
    done = subprocess.run(
        [SAM.with_name("python"), PARSER, json.dumps(lines)],
        cwd=folder,
        env=clean_environment(),
        input=ENTER * MOST_QUESTIONS * len(lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-LOG_TAIL:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def merged(template: Mapping[str, Any], overrides: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the parameters that ``sam deploy`` sends to CloudFormation for an existing stack."""
    code = (
        "import json, sys; from samcli.commands.deploy.deploy_context import DeployContext; "
        "json.dump(DeployContext.merge_parameters(*json.load(sys.stdin)), sys.stdout)"
    )
    done = subprocess.run(
        [SAM.with_name("python"), "-c", code],
        env=clean_environment(),
        input=json.dumps([template, overrides]),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    sent: list[dict[str, Any]] = json.loads(done.stdout)
    return sent


def local_invoke(step: str, event: Path, variables: Path | None = None) -> Any:
    """Return what a step's function answers under ``sam local invoke``.

    sam ends with 0 even when the function fails, and its answer then has an ``errorType``.
    """
    given = [] if variables is None else ["--env-vars", str(variables)]
    done = sam("local", "invoke", FUNCTIONS[step], "--event", str(event), *given)
    said = f"sam ended with {done.returncode}:\n{done.stderr[-LOG_TAIL:]}\n{done.stdout}"
    assert done.returncode == 0, said
    print(said)  # noqa: T201 - pytest shows it when the answer is not the one expected
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"no JSON: {said}") from None


def docker(*arguments: str, given: str | None = None) -> str:
    """Run docker and give what it prints.

    Raises
    ------
    AssertionError
        With what docker said, when it fails.
    """
    done = subprocess.run(
        ["docker", *arguments],  # noqa: S607 - whichever the user has
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stderr[-LOG_TAIL:]}"
    return done.stdout.strip()


def inspect(kind: str, name: str) -> Mapping[str, Any]:
    """Return what the engine knows of an image or a container."""
    (found,) = json.loads(docker(kind, "inspect", name))
    return dict(found)


def base_image() -> str:
    """Name the base image, as the Dockerfile's argument does when nothing else is given."""
    lines = (CHECKOUT / "functions" / "Dockerfile").read_text().splitlines()
    (name,) = (line.partition("=")[2] for line in lines if line.startswith("ARG BASE_IMAGE="))
    return name
