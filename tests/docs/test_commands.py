from __future__ import annotations

import importlib.util
import re
from functools import cache

import botocore.session
import click
import pytest
from botocore import xform_name

from local.cli.app import COMMANDS, app
from tests.docs.asl import template
from tests.docs.markdown import code_spans, pages, prose, section, tables
from tests.docs.shell import NOT_THERE_YET, Command, commands
from tests.support.checkout import CHECKOUT

# Third-party programs, which the tests know only by name.
ORDINARY = frozenset({"cd", "git", "curl", "cat", "rm", "export", "read", "python3", "source"})
# The options of aws-sam-cli 1.170.0 that the pages use.
SAM = {
    ("build",): {"--parameter-overrides"},
    ("deploy",): {"--guided", "--parameter-overrides", "--stack-name", "--config-env"},
    ("delete",): {"--stack-name"},
    ("list", "stack-outputs"): {"--stack-name"},
    ("local", "invoke"): {"--event"},
}
# Commands of the aws program itself, which are not in a service model.
AWS_OF_ITS_OWN = {("s3", "ls"), ("s3", "cp"), ("logs", "tail")}
AWS_GLOBAL = {"--query", "--output", "--region", "--profile"}


def of_program(*programs: str) -> list[Command]:
    return [each for each in commands() if each.program in programs]


def load(name: str) -> click.Command:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    return command


@cache
def make_targets() -> frozenset[str]:
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def parameters() -> set[str]:
    return set(template()["Parameters"])


@pytest.mark.parametrize("command", commands(), ids=str)
def test_every_command_is_one_that_the_tests_can_judge(command: Command) -> None:
    known = {*ORDINARY, "make", "algo-trader", "python", "aws", "sam"}
    assert command.program in known


@pytest.mark.parametrize("command", of_program("make"), ids=str)
def test_every_make_target_exists(command: Command) -> None:
    wanted = [word for word in command.words[1:] if "=" not in word]
    assert set(wanted) <= make_targets()


def test_what_the_readme_says_is_not_there_yet_is_not_there() -> None:
    promised = code_spans(section("README.md", NOT_THERE_YET))
    assert "backtest" in promised
    assert [each for each in promised if each.removeprefix("make ") in make_targets()] == []
    assert [each for each in promised if each in COMMANDS] == []


@pytest.mark.parametrize("command", of_program("algo-trader"), ids=str)
def test_every_algo_trader_command_and_option_exists(command: Command) -> None:
    given = [word for word in command.words[1:] if not word.startswith("-")]
    spoken = {word.partition("=")[0] for word in command.words if word.startswith("-")}
    if not given:
        assert spoken <= {"--help", "-h", "--version"}
        return
    subcommand = load(given[0])
    options = {name for each in subcommand.params for name in each.opts}
    assert spoken <= options | {"--help", "-h"}


def test_every_algo_trader_command_is_shown_on_some_page() -> None:
    shown = {word for each in of_program("algo-trader") for word in each.words}
    assert set(COMMANDS) <= shown


def test_every_python_module_that_is_run_exists() -> None:
    modules = [each for one in of_program("python", "python3") for each in one.value_of("-m")[:1]]
    assert [each for each in modules if importlib.util.find_spec(each) is None] == []


@pytest.mark.parametrize("command", of_program("aws"), ids=str)
def test_every_aws_command_and_option_exists(command: Command) -> None:
    service, operation, *rest = command.words[1:]
    if (service, operation) in AWS_OF_ITS_OWN:
        return
    model = botocore.session.get_session().get_service_model(service)
    shapes = {xform_name(each, "-"): each for each in model.operation_names}
    members = model.operation_model(shapes[operation]).input_shape.members
    known = {f"--{xform_name(each, '-')}" for each in members}
    spoken = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert spoken <= known | AWS_GLOBAL


def test_no_command_has_a_secret_on_its_line() -> None:
    """A shell's history and a process list would show the secret."""
    stored = [each for each in of_program("aws") if "SecureString" in each.value_of("--type")]
    assert {each.page for each in stored} == {
        "README.md",
        "docs/deploying.md",
        "docs/going-live.md",
        "docs/operations.md",
        "docs/writing-a-strategy.md",
    }
    assert {value for each in stored for value in each.value_of("--value")} == {"file:///dev/stdin"}
    assert [
        str(each) for each in commands() if re.search("YOUR.*KEY|SECRET.*=", str(each.words))
    ] == []
    sends_keys = [each for each in of_program("curl") if "alpaca.markets" in str(each.words)]
    assert [each.value_of("-H") for each in sends_keys] == [["@-"]]


@pytest.mark.parametrize("command", of_program("sam"), ids=str)
def test_every_sam_command_names_what_there_is(command: Command) -> None:
    spoken = {word for word in command.words[1:] if word.startswith("-")}
    verb = next(
        key for key in sorted(SAM, key=len, reverse=True) if command.words[1 : len(key) + 1] == key
    )
    assert spoken <= SAM[verb]
    if verb == ("local", "invoke") and command.line:
        assert command.words[3] in template()["Resources"]
    for event in command.value_of("--event"):
        assert (CHECKOUT / event).is_file()


@pytest.mark.parametrize("command", commands(), ids=str)
def test_every_parameter_that_a_command_sets_exists(command: Command) -> None:
    pairs = command.value_of("--parameter", "--parameter-overrides")
    assert {each.partition("=")[0] for each in pairs} - {"Key"} <= parameters()


@pytest.mark.parametrize("page", pages())
def test_every_parameter_that_a_page_sets_in_passing_exists(page: str) -> None:
    set_there = {
        match[1]
        for span in code_spans(prose(page))
        for match in re.finditer(r"(?:^|\s)([A-Z][a-z]+(?:[A-Z][a-z]+)*[1-5]?)=", span)
    }
    assert set_there - {"Key"} <= parameters()


@pytest.mark.parametrize("page", pages())
def test_every_parameter_of_a_table_of_parameters_exists(page: str) -> None:
    listed = {
        span
        for each in tables(page)
        if each.header[0] == "Parameter"
        for cell in each.column("Parameter")
        for span in code_spans(cell)
    }
    assert listed <= parameters()


def test_the_pages_leave_no_click_option_undescribed() -> None:
    """The pages refer to the commands' help, so the help must describe every option."""
    for subcommand in map(load, COMMANDS):
        assert all(each.help for each in subcommand.params if isinstance(each, click.Option))
