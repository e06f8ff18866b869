"""Owns `algo-trader restore`: list earlier versions of a desk's books, and put one back."""

from __future__ import annotations

from datetime import datetime

import click

from local.cli.console import clean
from local.cli.stack_options import confirm_if_live, stack_location, stack_options, stack_title
from local.ops.book_versions import (
    FOLDER,
    BookVersions,
    RestoreRefusedError,
    find_versions,
    kind_of,
    put_back,
)
from local.ops.stack import find_stack

NOT_CHANGED = 1


def _name(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    name = text.removeprefix(FOLDER)
    if kind_of(name) is None:
        raise click.BadParameter(
            f"{text!r} is not an object of the books such as adjustments.json or 1a2b3c.json"
        )
    return name


@click.command()
@click.argument("name", metavar="[OBJECT]", required=False, callback=_name)
@click.argument("version", required=False)
@click.option(
    "--from-bucket",
    "bucket",
    metavar="NAME",
    help="Read the versions from an older stack's bucket, with your own permissions.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation, even for real money.")
@stack_options
def restore(
    name: str | None, version: str | None, bucket: str | None, *, yes: bool, **where: str | None
) -> int:
    """Put back an earlier VERSION of an OBJECT in a deployed stack's books.

    Without a VERSION, the command lists the OBJECT's versions; without an OBJECT, it lists all
    objects. The version that you put back becomes the newest, and the others stay. Exit status: 0
    if listed or put back; 1 if refused by the books' state, AWS or you; 2 for wrong usage or
    settings.
    """
    try:
        stack = find_stack(stack_location(where))
        click.echo(stack_title(stack.name, stack.region, stack.mode))
        if name is None or version is None:
            _show(find_versions(stack, bucket), name)
            return 0
        question = f"Put back {name}?"
        if not yes and not confirm_if_live(question, stack.name, stack.mode):
            click.echo("Nothing was changed.")
            return NOT_CHANGED
        put_back(stack, name, version, bucket)
        _show(find_versions(stack), name)
    except RestoreRefusedError as problem:
        raise click.ClickException(clean(problem)) from problem
    click.echo(f"{FOLDER}{name} is restored. The next run continues from it.")
    return 0


def _when(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _show(found: BookVersions, name: str | None) -> None:
    """List an object's versions, or without a name count every object's versions."""
    if name is not None and name not in found.of:
        known = ", ".join(found.of) or "none"
        raise RestoreRefusedError(f"{found.bucket} has no {FOLDER}{name}. It has: {known}")
    click.echo(f"  {FOLDER} in {found.bucket}")
    for each, versions in found.of.items():
        if name is None:
            newest = versions[0]
            state = "deleted" if newest.size is None else "written"
            click.echo(
                f"    {each:28} {len(versions):4} versions, {state} {_when(newest.written_at)}"
            )
        elif each == name:
            for one in versions:
                size = "deleted" if one.size is None else f"{one.size} bytes"
                now = "  now" if one.is_newest else ""
                click.echo(f"    {_when(one.written_at)}  {size:>14}  {one.id}{now}")
