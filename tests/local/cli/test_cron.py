from datetime import UTC, date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cli.cron import CronError, parse

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


def days(expression: str, count: int, after: datetime = FRIDAY) -> list[str]:
    bells = islice(parse(expression).bells(after, NEW_YORK), count)
    return [bell.strftime("%a %d %b %Y %H:%M") for bell in bells]


@pytest.mark.parametrize(
    ("expression", "first", "second"),
    [
        ("cron(35 9 ? * MON-FRI *)", "Fri 20 Nov 2026 09:35", "Mon 23 Nov 2026 09:35"),
        ("cron(35 9 ? * 2-6 *)", "Fri 20 Nov 2026 09:35", "Mon 23 Nov 2026 09:35"),
        ("35 9 ? * mon-fri *", "Fri 20 Nov 2026 09:35", "Mon 23 Nov 2026 09:35"),
        ("cron(0 10 ? * 1 *)", "Sun 22 Nov 2026 10:00", "Sun 29 Nov 2026 10:00"),
        ("cron(0 10 ? * L *)", "Sat 21 Nov 2026 10:00", "Sat 28 Nov 2026 10:00"),
        ("cron(0 10 ? * FRIL *)", "Fri 27 Nov 2026 10:00", "Fri 25 Dec 2026 10:00"),
        ("cron(0 10 ? * 2#1 *)", "Mon 07 Dec 2026 10:00", "Mon 04 Jan 2027 10:00"),
        ("cron(0 10 ? * FRI-MON *)", "Fri 20 Nov 2026 10:00", "Sat 21 Nov 2026 10:00"),
        ("cron(0 10 15W * ? *)", "Tue 15 Dec 2026 10:00", "Fri 15 Jan 2027 10:00"),
        ("cron(0 10 1W * ? *)", "Tue 01 Dec 2026 10:00", "Fri 01 Jan 2027 10:00"),
        ("cron(0 10 31W 1,5 ? *)", "Fri 29 Jan 2027 10:00", "Mon 31 May 2027 10:00"),
        ("cron(0 10 1W 5,8 ? 2027)", "Mon 03 May 2027 10:00", "Mon 02 Aug 2027 10:00"),
        ("cron(0 10 LW * ? *)", "Mon 30 Nov 2026 10:00", "Thu 31 Dec 2026 10:00"),
        ("cron(0 10 L 2 ? *)", "Sun 28 Feb 2027 10:00", "Tue 29 Feb 2028 10:00"),
        ("cron(0 10 L-2 * ? *)", "Sat 28 Nov 2026 10:00", "Tue 29 Dec 2026 10:00"),
        ("cron(0/30 9 21 * ? *)", "Sat 21 Nov 2026 09:00", "Sat 21 Nov 2026 09:30"),
        ("cron(5-10/5 9 21 11,12 ? *)", "Sat 21 Nov 2026 09:05", "Sat 21 Nov 2026 09:10"),
        ("cron(0 9 4 JUL ? 2027/2)", "Sun 04 Jul 2027 09:00", "Wed 04 Jul 2029 09:00"),
    ],
)
def test_fields_are_read_as_eventbridge_reads_them(
    expression: str, first: str, second: str
) -> None:
    assert days(expression, 2) == [first, second]


def test_a_schedule_keeps_new_york_time_when_the_clocks_change() -> None:
    cron = parse("cron(35 9 ? * MON-FRI *)")
    autumn = list(islice(cron.bells(datetime(2026, 10, 30, tzinfo=UTC), NEW_YORK), 2))
    spring = list(islice(cron.bells(datetime(2027, 3, 12, tzinfo=UTC), NEW_YORK), 2))
    assert [bell.astimezone(UTC).strftime("%d %H:%M") for bell in autumn + spring] == [
        "30 13:35",
        "02 14:35",
        "12 14:35",
        "15 13:35",
    ]


def test_a_time_that_the_clocks_leave_out_is_skipped() -> None:
    after = datetime(2027, 3, 13, 12, tzinfo=UTC)
    assert days("cron(30 2 * * ? *)", 1, after) == ["Mon 15 Mar 2027 02:30"]


def test_a_time_that_the_clocks_repeat_starts_one_run() -> None:
    after = datetime(2026, 10, 31, 12, tzinfo=UTC)
    bells = list(islice(parse("cron(30 1 * * ? *)").bells(after, NEW_YORK), 2))
    assert [bell.astimezone(UTC).strftime("%d %H:%M") for bell in bells] == ["01 05:30", "02 06:30"]


def test_a_start_in_the_first_of_two_equal_hours_is_past_in_the_second() -> None:
    second_hour = datetime(2026, 11, 1, 6, 45, tzinfo=UTC).astimezone(NEW_YORK)
    assert days("cron(50 1 * * ? *)", 1, second_hour) == ["Mon 02 Nov 2026 01:50"]


def test_a_start_at_the_very_instant_is_past() -> None:
    bell = datetime(2026, 11, 20, 14, 35, tzinfo=UTC)
    assert days("cron(35 9 ? * MON-FRI *)", 1, bell) == ["Mon 23 Nov 2026 09:35"]
    at_new_york = bell.astimezone(NEW_YORK)
    assert days("cron(35 9 ? * MON-FRI *)", 1, at_new_york) == ["Mon 23 Nov 2026 09:35"]


def test_a_day_that_never_comes_starts_no_run() -> None:
    assert days("cron(0 9 30 2 ? *)", 1) == []
    assert days("cron(0 9 1 1 ? 2020)", 1) == []


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("rate(1 day)", "rate expression"),
        ("at(2026-11-20T09:35:00)", "at expression"),
        ("cron(35 9 * * MON-FRI *)", "exactly one"),
        ("cron(35 9 ? * ? *)", "exactly one"),
        ("35 9 * * 1-5", "5 fields"),
        ("cron(60 9 ? * MON-FRI *)", "'60' in the field minutes"),
        ("cron(35 24 ? * MON-FRI *)", "'24' in the field hours"),
        ("cron(35 9 ? * MON-FUN *)", "'FUN' in the field day of week"),
        ("cron(35 9 ? * 0 *)", "'0' in the field day of week"),
        ("cron(35 9 ? * MON#6 *)", "'6' in the field day of week"),
        ("cron(35 9 32 * ? *)", "'32' in the field day of month"),
        ("cron(35 9 0W * ? *)", "'0' in the field day of month"),
        ("cron(35 9 ? 13 MON *)", "'13' in the field month"),
        ("cron(35 9 ? * MON 1969)", "'1969' in the field year"),
        ("cron(35/0 9 ? * MON *)", "'0' in the field minutes"),
        ("cron( )", "0 fields"),
        ("cron(35, 9 ? * MON *)", "'' in the field minutes"),
    ],
)
def test_an_expression_that_eventbridge_refuses_is_refused_with_its_field(
    expression: str, names: str
) -> None:
    with pytest.raises(CronError, match=names):
        parse(expression)


@given(
    days_of_week=st.frozensets(st.integers(1, 7), min_size=1),
    minute=st.integers(0, 59),
    hour=st.integers(4, 23),
    after=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_starts_ascend_and_match_the_named_days_and_times(
    days_of_week: frozenset[int], minute: int, hour: int, after: datetime
) -> None:
    named = ",".join(map(str, days_of_week))
    cron = parse(f"cron({minute} {hour} ? * {named} *)")
    bells = list(islice(cron.bells(after, NEW_YORK), 8))
    assert bells == sorted(bells)
    assert all(bell > after for bell in bells)
    assert {bell.time() for bell in bells} == {time(hour, minute)}
    assert {bell.isoweekday() % 7 + 1 for bell in bells} <= days_of_week
    assert (bells[0].date() - after.date()).days <= 8
    assert isinstance(bells[0].date(), date)
