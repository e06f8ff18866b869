"""Owns the commands in the tests of the images: sam as a user would run it, and docker."""

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
# Each step and its logical id in template.yaml.
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
    """Run sam in the checkout without the user's AWS keys, because sam would call AWS with them."""
    return _run([str(SAM), *arguments], cwd=CHECKOUT, stdin=subprocess.DEVNULL, timeout=seconds)


def _run(
    words: Sequence[str | Path], timeout: float = 120, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the user's AWS settings."""
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
    """Return what the SAM command makes of lines that a user types in a folder.

    The answer to every question of ``--guided`` is Enter.
    """
    answers = ENTER * MOST_QUESTIONS * len(lines)
    done = _run([SAM.with_name("python"), PARSER, json.dumps(lines)], cwd=folder, input=answers)
    assert done.returncode == 0, done.stderr[-LOG_TAIL:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def merged(template: Mapping[str, Any], overrides: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the parameters that ``sam deploy`` sends to CloudFormation for an existing stack."""
    code = (
        "import json, sys; from samcli.commands.deploy.deploy_context import DeployContext; "
        "json.dump(DeployContext.merge_parameters(*json.load(sys.stdin)), sys.stdout)"
    )
    done = _run([SAM.with_name("python"), "-c", code], input=json.dumps([template, overrides]))
    assert done.returncode == 0, done.stderr[-LOG_TAIL:]
    sent: list[dict[str, Any]] = json.loads(done.stdout)
    return sent


def local_invoke(step: str, event: Path, variables: Path | None = None) -> Any:
    """Return a function's answer under ``sam local invoke``.

    sam exits with 0 even if the function fails; the answer then has an ``errorType``.
    """
    given = [] if variables is None else ["--env-vars", str(variables)]
    done = sam("local", "invoke", FUNCTIONS[step], "--event", str(event), *given)
    said = f"sam ended with {done.returncode}:\n{done.stderr[-LOG_TAIL:]}\n{done.stdout}"
    assert done.returncode == 0, said
    print(said)  # noqa: T201 - pytest shows it if a test fails
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"no JSON: {said}") from None


def docker(*arguments: str, given: str | None = None) -> str:
    """Run docker and return its output.

    Raises
    ------
    AssertionError
        If docker fails; the error quotes docker.
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
    """Return the engine's description of an image or a container."""
    (found,) = json.loads(docker(kind, "inspect", name))
    return dict(found)


def base_image() -> str:
    """Return the Dockerfile's default base image."""
    lines = (CHECKOUT / "functions" / "Dockerfile").read_text().splitlines()
    (name,) = (line.partition("=")[2] for line in lines if line.startswith("ARG BASE_IMAGE="))
    return name
