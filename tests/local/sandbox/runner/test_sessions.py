from datetime import date, timedelta

import pytest

from local.problems import UsageProblem
from local.sandbox.runner.sessions import DEFAULT_SESSION, choose_sessions, session_after

# The weekdays around the default session: ten before it and nine after it.
KNOWN = [
    day
    for day in (DEFAULT_SESSION + timedelta(days=n) for n in range(-14, 14))
    if day.isoweekday() < 6
]


def test_without_a_date_the_default_session_is_taken() -> None:
    assert choose_sessions(KNOWN, None, 1) == [DEFAULT_SESSION]


def test_sessions_start_earlier_when_they_would_not_fit_after_the_default() -> None:
    assert choose_sessions(KNOWN, None, 2) == KNOWN[KNOWN.index(DEFAULT_SESSION) :][:2]
    assert choose_sessions(KNOWN, None, len(KNOWN)) == KNOWN


def test_a_single_day_may_be_a_day_without_a_session() -> None:
    saturday = date(2012, 2, 18)
    assert choose_sessions(KNOWN, saturday, 1) == [saturday]


def test_several_sessions_follow_one_another_from_the_date_on() -> None:
    saturday = date(2012, 2, 18)
    assert choose_sessions(KNOWN, saturday, 2) == [date(2012, 2, 20), date(2012, 2, 21)]


@pytest.mark.parametrize(
    ("start", "count", "names"),
    [
        (date(2011, 1, 3), 1, "2012-02-01 to 2012-02-28"),
        (date(2030, 1, 3), 1, "2012-02-01 to 2012-02-28"),
        (None, 21, "the data have 20 sessions"),
        (date(2012, 2, 27), 3, "from 2012-02-27 on, the data have 2 sessions"),
    ],
)
def test_days_outside_the_data_are_refused_by_the_span(
    start: date | None, count: int, names: str
) -> None:
    with pytest.raises(UsageProblem, match=names):
        choose_sessions(KNOWN, start, count)


def test_the_session_after_a_day_skips_other_days_and_stops_at_the_last() -> None:
    assert session_after(KNOWN, date(2012, 2, 17)) == date(2012, 2, 20)
    assert session_after(KNOWN, date(2012, 2, 18)) == date(2012, 2, 20)
    assert session_after(KNOWN, KNOWN[-1]) == KNOWN[-1]
