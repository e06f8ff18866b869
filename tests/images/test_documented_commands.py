"""Every documented sam line reaches the SAM command as its page means it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from algotrader.adapters.settings import load_settings
from algotrader.errors import ConfigurationError
from local.sandbox.aws import DeploymentProblem
from local.sandbox.aws.template import check_parameters, read_template
from tests.docs.shell import Command, commands
from tests.images.commands import CHECKOUT, FUNCTIONS, arrivals, merged

pytestmark = pytest.mark.images

FLAGS = {"--guided", "--lint"}
DOCUMENTED = [each for each in commands() if each.program == "sam"]
PAGES = sorted({each.page for each in DOCUMENTED})
ON_ARM = '# parameter_overrides = "Architecture=arm64"'
OVERRIDES = "--parameter-overrides"
# Parameters that a page could contain but that SAM refuses or cuts.
BROKEN = [
    ["Capital="],
    ['StrategyParameters={"window": 60}'],
    ['StrategyParameters="{"window": 60}"'],
    ["StrategyParameters='{window: 60}'"],
    ["DenySymbols=IBM, MSFT"],
    ["DenySymbols=IBM MSFT"],
    ["OrderType=limit LimitOffsetBps=5"],
    ["OrderType"],
    ["Capitol=5"],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files of a fresh checkout that sam reads and writes."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    return tmp_path


@pytest.fixture
def on_arm(folder: Path) -> Path:
    """Return the folder after the change that the deploying page requires on ARM."""
    path = folder / "samconfig.toml"
    text = path.read_text(encoding="utf-8")
    assert f"\n{ON_ARM}\n" in text
    path.write_text(text.replace(ON_ARM, ON_ARM.removeprefix("# ")), encoding="utf-8")
    return folder


def as_written(value: str) -> str:
    """Return the value that a reader sees, without the quotes for SAM."""
    if value[:1] in ("'", '"') and value[-1:] == value[:1]:
        return value[1:-1].replace('\\"', '"')
    return value


def meant(words: Sequence[str]) -> dict[str, Any]:
    """Return the parameters on a line as a reader understands them."""
    given: dict[str, Any] = {}
    option = ""
    for word in words:
        if word.startswith("--"):
            option = word
            if word in FLAGS:
                given[name_of(word)] = True
        elif option == OVERRIDES:
            name, _, value = word.partition("=")
            given.setdefault(name_of(option), {})[name] = as_written(value)
        elif option:
            given[name_of(option)] = word
            option = ""
    return given


def name_of(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def check_deployable(overrides: Mapping[str, str]) -> None:
    """Check parameters as CloudFormation and Fetch Bars do, with defaults for the rest."""
    template = read_template()
    check_parameters(template, overrides)
    defaults = {name: each["Default"] for name, each in template["Parameters"].items()}
    values = {**defaults, **overrides}
    variables = template["Resources"]["FetchBars"]["Properties"]["Environment"]["Variables"]
    named = {name: each["Ref"] for name, each in variables.items() if "Ref" in each}
    environ = {name: values[each] for name, each in named.items() if each in values}
    load_settings({"STACK_NAME": "desk", **environ})


def test_the_pages_have_lines_of_sam() -> None:
    assert {"README.md", "docs/deploying.md", "docs/writing-a-strategy.md"} <= set(PAGES)
    assert any(OVERRIDES in each.words for each in DOCUMENTED)


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_a_page_arrives_as_it_is_meant(folder: Path, page: str) -> None:
    """All lines of a page share one folder, in order, because later lines use saved answers."""
    lines = [each for each in DOCUMENTED if each.page == page]
    arrived = arrivals(folder, *(each.words[1:] for each in lines))
    for line, found in zip(lines, arrived, strict=True):
        check_arrival(line, found)


def check_arrival(line: Command, found: dict[str, Any]) -> None:
    assert "refused" not in found, f"{line}: {found['refused']}"
    verbs = len(found["command"])
    assert found["command"] == list(line.words[1 : verbs + 1]), line
    given = dict(found["given"])
    function = given.pop("function_logical_id", None)
    assert given == meant(line.words), line
    assert function is None or (function in FUNCTIONS.values() and function in line.words), line
    assert "event" not in given or (CHECKOUT / given["event"]).is_file(), line
    check_deployable(given.get("parameter_overrides", {}))
    if "answered" in found:
        assert given.get("parameter_overrides", {}).items() <= found["answered"].items(), line
        check_deployable(found["answered"])


def test_a_line_that_sam_refuses_or_cuts_is_seen(folder: Path) -> None:
    lines = [Command("page", 1, ("sam", "deploy", OVERRIDES, *each)) for each in BROKEN]
    arrived = arrivals(folder, *(each.words[1:] for each in lines))
    for line, found in zip(lines, arrived, strict=True):
        with pytest.raises((AssertionError, DeploymentProblem, ConfigurationError)):
            check_arrival(line, found)


def test_a_plain_deploy_needs_no_flag_and_no_answer(folder: Path) -> None:
    (found,) = arrivals(folder, ["deploy"])
    assert found["configured"] == {
        "stack_name": "algo-trader",
        "capabilities": ["CAPABILITY_IAM"],
        "confirm_changeset": True,
        "fail_on_empty_changeset": False,
        "resolve_s3": True,
        "resolve_image_repos": True,
        "tags": {"application": "algo-trader"},
    }


def test_the_answers_of_a_guided_deploy_are_sent_again_by_every_plain_one(folder: Path) -> None:
    json_of_a_strategy = ['StrategyParameters=\'{"window": 60, "top": 2}\'', "Strategy=mine"]
    guided, plain = arrivals(
        folder, ["deploy", "--guided", OVERRIDES, *json_of_a_strategy], ["deploy"]
    )
    assert guided["answered"]["StrategyParameters"] == '{"window": 60, "top": 2}'
    assert plain["configured"]["parameter_overrides"] == guided["answered"]


def test_the_first_deploy_of_the_readme_names_the_email_alone_and_is_asked_nothing(
    folder: Path,
) -> None:
    (line,) = [
        each
        for each in DOCUMENTED
        if each.page == "README.md" and "Email=you@example.com" in each.words
    ]
    (found,) = arrivals(folder, line.words[1:])
    assert found["given"] == {"parameter_overrides": {"Email": "you@example.com"}}
    assert found["configured"]["stack_name"] == "algo-trader"
    assert found["configured"]["capabilities"] == ["CAPABILITY_IAM"]
    assert found["configured"]["resolve_s3"]
    assert found["configured"]["resolve_image_repos"]


def test_sam_asks_cloudformation_to_keep_every_parameter_that_a_deploy_does_not_name() -> None:
    template = {"Parameters": {name: {} for name in read_template()["Parameters"]}}
    sent = merged(template, {"MaxOrderNotional": "10000"})
    named = [each for each in sent if "ParameterValue" in each]
    assert [(each["ParameterKey"], each["ParameterValue"]) for each in named] == [
        ("MaxOrderNotional", "10000")
    ]
    kept = {each["ParameterKey"] for each in sent if each.get("UsePreviousValue")}
    assert kept == {*template["Parameters"]} - {"MaxOrderNotional"}


def test_on_arm_the_first_deploy_of_the_page_names_the_processor(on_arm: Path) -> None:
    """Parameters on the command line replace the line in samconfig.toml."""
    first = [each for each in DOCUMENTED if "Email=you@example.com" in each.words]
    arrived = arrivals(on_arm, *(each.words[1:] for each in first))
    by_page = {
        line.page: found["given"]["parameter_overrides"].get("Architecture")
        for line, found in zip(first, arrived, strict=True)
        if "Architecture=arm64" in line.words or line.page == "README.md"
    }
    assert by_page == {"README.md": None, "docs/deploying.md": "arm64"}


def test_a_parameter_on_the_command_line_leaves_the_others_as_they_are_deployed(
    folder: Path,
) -> None:
    _, one = arrivals(
        folder, ["deploy", "--guided"], ["deploy", OVERRIDES, "MaxOrderNotional=10000"]
    )
    assert one["given"]["parameter_overrides"] == {"MaxOrderNotional": "10000"}
    assert "parameter_overrides" not in one["configured"]


def test_on_arm_every_line_makes_and_runs_images_for_arm(on_arm: Path) -> None:
    lines = [each for each in DOCUMENTED if "--config-env" not in each.words]
    arrived = arrivals(on_arm, *(each.words[1:] for each in lines))
    for line, found in zip(lines, arrived, strict=True):
        check_arrival(line, found)
        assert found.get("architectures", ["arm64"]) == ["arm64"], line
        assert found.get("answered", {}).get("Architecture", "arm64") == "arm64", line


def test_on_arm_the_second_build_and_deploy_are_for_arm_too(on_arm: Path) -> None:
    lines = ["build"], ["deploy", "--guided"], ["build"], ["deploy"]
    first, _, second, deployed = arrivals(on_arm, *lines)
    assert (first["architectures"], second["architectures"]) == (["arm64"], ["arm64"])
    assert deployed["configured"]["parameter_overrides"]["Architecture"] == "arm64"


def test_elsewhere_images_are_for_x86_64(folder: Path) -> None:
    (found,) = arrivals(folder, ["build"])
    assert found["architectures"] == ["x86_64"]
