"""Owns EventBridge Scheduler's cron syntax: six fields that say when runs start.

The fields are minutes, hours, day of month, month, day of week, and year. Days of the week count
from ``1 = SUN``. One of the two day fields must be ``?``. Source: "Schedule types" in the
EventBridge Scheduler User Guide.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

FIELDS = ("minutes", "hours", "day of month", "month", "day of week", "year")
MONTHS = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
FIRST_YEAR, LAST_YEAR = 1970, 2199
SATURDAY, SUNDAY = 5, 6  # as date.weekday() counts

DayRule = Callable[[date], bool]


class CronError(ValueError):
    """An expression that EventBridge Scheduler would refuse, or that is not a cron expression."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed cron expression.

    Attributes
    ----------
    times : tuple of time
        The times of day at which runs start, ascending.
    is_day : callable
        Whether runs start on a date.
    """

    times: tuple[time, ...]
    is_day: DayRule
    last_year: int

    def bells(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Return the bells after an aware instant, ascending, in the zone's time.

        Like EventBridge Scheduler, skip a time that a clock change omits, and count a time that a
        clock change repeats only once.
        """
        # In UTC, because two times in the same zone compare by the wall clock.
        after = after.astimezone(UTC)
        day = after.astimezone(zone).date()
        while day.year <= self.last_year:
            if self.is_day(day):
                for at in self.times:
                    bell = datetime.combine(day, at, zone)
                    if bell.astimezone(UTC).astimezone(zone).time() == at and bell > after:
                        yield bell
            day += timedelta(days=1)


def parse(expression: str) -> Cron:
    """Parse ``cron(…)``, or only its six fields.

    Raises
    ------
    CronError
        If EventBridge Scheduler would refuse the expression.
    """
    text = expression.strip()
    if text.startswith(("rate(", "at(")):
        kind = text.partition("(")[0]
        raise CronError(
            f"{text!r} is a {kind} expression. A trading day needs a time of day. "
            "Use cron(minutes hours day-of-month month day-of-week year)."
        )
    if text.startswith("cron(") and text.endswith(")"):
        text = text.removeprefix("cron(").removesuffix(")")
    fields = text.upper().split()
    if len(fields) != len(FIELDS):
        raise CronError(
            f"{expression!r} has {len(fields)} field{'' if len(fields) == 1 else 's'}. It needs "
            f"six: {', '.join(FIELDS)}. For example: cron(35 9 ? * MON-FRI *)."
        )
    minutes, hours, month_day, month, week_day, year = fields
    if (month_day == "?") == (week_day == "?"):
        raise CronError(
            f"{expression!r}: exactly one of day of month ({month_day}) and day of week "
            f"({week_day}) must be '?'."
        )
    months = _numbers(month, 3, 1, 12, MONTHS)
    years = _numbers(year, 5, FIRST_YEAR, LAST_YEAR)
    if week_day == "?":
        rules = [_month_day_rule(part) for part in month_day.split(",")]
    else:
        rules = [_week_day_rule(part) for part in week_day.split(",")]
    return Cron(
        times=tuple(
            time(hour, minute)
            for hour in sorted(_numbers(hours, 1, 0, 23))
            for minute in sorted(_numbers(minutes, 0, 0, 59))
        ),
        is_day=lambda day: (
            day.year in years and day.month in months and any(rule(day) for rule in rules)
        ),
        last_year=max(years),
    )


def _numbers(
    text: str, field: int, low: int, high: int, names: dict[str, int] | None = None
) -> frozenset[int]:
    parts = (_range(part, field, low, high, names or {}) for part in text.split(","))
    return frozenset(chain.from_iterable(parts))


def _range(part: str, field: int, low: int, high: int, names: dict[str, int]) -> Iterator[int]:
    span, slash, step_text = part.partition("/")
    first_text, dash, last_text = span.partition("-")
    step = _number(step_text, field, 1, high, {}) if slash else 1
    if span == "*":
        first, last = low, high
    else:
        first = _number(first_text, field, low, high, names)
        last = high if slash else first
        if dash:
            last = _number(last_text, field, low, high, names)
    if last < first:  # FRI-MON or 22-2 wraps around
        last += high - low + 1
    for value in range(first, last + 1, step):
        yield (value - low) % (high - low + 1) + low


def _number(text: str, field: int, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text)
    if value is None and re.fullmatch(r"[0-9]{1,4}", text):
        value = int(text)
    if value is None or not low <= value <= high:
        kinds = f" or {next(iter(names))} to {list(names)[-1]}" if names else ""
        raise CronError(f"{text!r} in the field {FIELDS[field]} is not {low} to {high}{kinds}.")
    return value


def _month_day_rule(part: str) -> DayRule:
    if part == "LW":
        return lambda day: day == _nearest_weekday(day, _month_length(day))
    if match := re.fullmatch(r"L(?:-([0-9]+))?", part):
        before = _number(match[1], 2, 1, 30, {}) if match[1] else 0
        return lambda day: day.day == _month_length(day) - before
    if match := re.fullmatch(r"([0-9]+)W", part):
        target = _number(match[1], 2, 1, 31, {})
        return lambda day: day == _nearest_weekday(day, target)
    days = _numbers(part, 2, 1, 31)
    return lambda day: day.day in days


def _week_day_rule(part: str) -> DayRule:
    if part == "L":
        part = "SAT"
    if match := re.fullmatch(r"([A-Z0-9]+)L", part):
        last = _number(match[1], 4, 1, 7, WEEKDAYS)
        return lambda day: _week_day(day) == last and day.day > _month_length(day) - 7
    if match := re.fullmatch(r"([A-Z0-9]+)#([0-9]+)", part):
        wanted = _number(match[1], 4, 1, 7, WEEKDAYS)
        nth = _number(match[2], 4, 1, 5, {})
        return lambda day: _week_day(day) == wanted and (day.day - 1) // 7 + 1 == nth
    days = _numbers(part, 4, 1, 7, WEEKDAYS)
    return lambda day: _week_day(day) in days


def _week_day(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _month_length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, target: int) -> date | None:
    """Return the weekday nearest to a day of the month without leaving the month."""
    length = _month_length(day)
    if target > length:
        return None
    nearest = day.replace(day=target)
    if nearest.weekday() == SATURDAY:
        return nearest - timedelta(days=1) if target > 1 else nearest + timedelta(days=2)
    if nearest.weekday() == SUNDAY:
        return nearest + timedelta(days=1) if target < length else nearest - timedelta(days=2)
    return nearest
