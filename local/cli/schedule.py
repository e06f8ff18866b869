"""Owns `algo-trader schedule`: show when runs start next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from local.cli.console import make_console
from local.cli.cron import CronError, parse
from local.cli.tables import table
from local.problems import UsageProblem
from local.sandbox.runner.template import default_of

NEW_YORK = "America/New_York"
MAX_BELLS = 1000
FORMAT, SHORT_FORMAT = "%a %Y-%m-%d %H:%M %Z", "%a %H:%M %Z"
HINT = "A run starts even on a holiday. It reads the broker's calendar and ends as Market Closed."
REPORT_HINT = (
    "The first run after a session's close reports that session. Usually that is the last run. "
    "After an early close it is an earlier one. A run before the close, or on a holiday, ends as "
    "Market Closed. A run after the report ends as Duplicate Run. The broker's calendar decides."
)


@click.command()
@click.option(
    "--expression",
    help="An EventBridge Scheduler expression; default: template.yaml's ScheduleExpression.",
)
@click.option(
    "--report",
    is_flag=True,
    help="Show when reports start: template.yaml's ReportScheduleExpression.",
)
@click.option(
    "--timezone",
    "zone_name",
    default=NEW_YORK,
    show_default=True,
    help="The expression's time zone.",
)
@click.option(
    "--next",
    "count",
    type=click.IntRange(1, MAX_BELLS),
    default=10,
    show_default=True,
    metavar="N",
    help="How many runs to show.",
)
@click.option(
    "--after", metavar="INSTANT", help="The RFC 3339 instant to start from; default: now."
)
def schedule(
    expression: str | None, zone_name: str, count: int, after: str | None, *, report: bool
) -> None:
    """Show when runs start next, in New York time, UTC and your own time.

    The expression omits weekends but not holidays. On a holiday, a run reads the broker's calendar
    and ends as Market Closed. The report also has an earlier run, for early closes. The first run
    after a session's close reports the session, and the others end without a message.
    """
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageProblem(f"--timezone {zone_name}: no such time zone exists") from error
    text = expression or default_of("ReportScheduleExpression" if report else "ScheduleExpression")
    try:
        cron = parse(text)
    except CronError as error:
        raise UsageProblem(str(error)) from error
    bells = list(islice(cron.bells(_instant(after), zone), count))
    if not bells:
        raise UsageProblem(f"{text!r} starts no further runs")
    _print(text, zone_name, bells, REPORT_HINT if report else HINT)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsageProblem(f"--after {text}: give an instant such as 2026-01-05T14:35:00Z")
    return instant


def _print(text: str, zone_name: str, bells: Sequence[datetime], hint: str) -> None:
    zones = {"New York": ZoneInfo(NEW_YORK), "UTC": ZoneInfo("UTC"), "Here": None}
    if zone_name not in {NEW_YORK, "UTC"}:
        zones = {zone_name: ZoneInfo(zone_name), **zones}
    notes = _notes(bells)
    first, *others = zones.values()
    rows = [
        [
            bell.astimezone(first).strftime(FORMAT),
            *(bell.astimezone(zone).strftime(SHORT_FORMAT) for zone in others),
            note,
        ]
        for bell, note in zip(bells, notes, strict=True)
    ]
    console = make_console()
    console.print(f"{text} in {zone_name}\n")
    console.print(table([*zones, ""], rows))
    console.print(f"\n{hint}")


def _notes(bells: Sequence[datetime]) -> list[str]:
    """Return a note for each bell: a weekend, a clock change since the last bell, or nothing."""
    notes = ["weekend" if bell.weekday() > 4 else "" for bell in bells]  # noqa: PLR2004 - Friday
    for place, (before, bell) in enumerate(pairwise(bells), start=1):
        shift = (bell.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
        if shift:
            hours = shift.total_seconds() / 3600
            notes[place] = ", ".join(filter(None, [notes[place], f"clocks changed {hours:+g} h"]))
    return notes
