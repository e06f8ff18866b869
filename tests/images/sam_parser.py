"""Owns how the SAM command parses lines, settings and answers, without a deploy.

Run this file by path with the Python of .venv-sam, in a folder with the template and
samconfig.toml. The argument is a JSON list of lists of words. All lines share the folder and
therefore SAM's saved answers. Standard input answers the questions of ``--guided``. The script
replaces the answers of AWS.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from typing import Any

import click
from click.core import ParameterSource
from samcli.cli.main import cli
from samcli.commands.deploy import guided_context
from samcli.commands.deploy.command import CONFIG_SECTION
from samcli.lib.cli_validation.image_repository_validation import image_repository_validation
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/desk"


def arrive(command: click.Command, context: click.Context) -> dict[str, Any] | None:
    """Return what reaches a command, instead of running the command."""
    if isinstance(command, click.Group):
        return None
    arrived: dict[str, Any] = {
        "command": context.command_path.split()[1:],
        "given": of_source(context, ParameterSource.COMMANDLINE),
        "configured": of_source(context, ParameterSource.DEFAULT_MAP),
    }
    overrides = context.params.get("parameter_overrides", {})
    if command.name == "deploy":
        image_repository_validation()(lambda: None)()
        if context.params["guided"]:
            arrived["answered"] = answer(context)
    elif "parameter_overrides" in context.params:
        arrived["architectures"] = architectures(context.params["template_file"], overrides)
    return arrived


def of_source(context: click.Context, source: ParameterSource) -> dict[str, Any]:
    """Return the parameters from the command line, or from samconfig.toml."""
    return {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is source
    }


def architectures(template: str, overrides: dict[str, str]) -> list[str]:
    """Return the processors for which the command builds or runs images."""
    stacks, _ = SamLocalStackProvider.get_stacks(template, parameter_overrides=overrides)
    return sorted({each.architecture for each in SamFunctionProvider(stacks).get_all()})


def answer(context: click.Context) -> dict[str, str]:
    """Let SAM ask its questions and save the answers; return the answers about parameters."""
    names = inspect.signature(guided_context.GuidedContext).parameters
    params = {name: value for name, value in context.params.items() if name in names}
    guided = guided_context.GuidedContext(
        **params, region=None, profile=None, config_section=CONFIG_SECTION
    )
    guided.run()
    return {name: each["Value"] for name, each in guided.guided_parameter_overrides.items()}


def repositories(_guided: object, _stack: str, stacks: list[Any], *_: object) -> dict[str, str]:
    """Return a repository for each function, as after a yes to SAM's question."""
    return {each.name: REPOSITORY for each in SamFunctionProvider(stacks).get_all()}


def parse(words: list[str]) -> dict[str, Any]:
    """Return what reaches the command from one line, or SAM's error."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            arrived: dict[str, Any] = cli.main(words, prog_name="sam", standalone_mode=False)
    except (click.ClickException, click.Abort) as error:
        return {"refused": str(error) or repr(error)}
    return arrived


if __name__ == "__main__":
    click.Command.invoke = arrive  # type: ignore[method-assign]
    guided_context.manage_stack = lambda **_: "bucket"
    guided_context.print_managed_s3_bucket_info = lambda _: None
    guided_context.sync_ecr_stack = lambda *_: {}
    guided_context.GuidedContext.prompt_image_repository = repositories
    json.dump([parse(words) for words in json.loads(sys.argv[1])], sys.stdout)
