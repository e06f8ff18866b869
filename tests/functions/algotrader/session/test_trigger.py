"""The trigger's time decides a run's session and slot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from algotrader.errors import (
    BrokerUnavailableError,
    InsufficientHistoryError,
    InvalidInputError,
    LateBellError,
)
from algotrader.model import Clock, Session
from algotrader.session.trigger import NEW_YORK, Closed, Opened, Trigger, resolve_session


def session(day: str, close: str = "16:00") -> Session:
    return Session(
        date=date.fromisoformat(day),
        open=datetime.fromisoformat(f"{day}T09:30").replace(tzinfo=NEW_YORK).astimezone(UTC),
        close=datetime.fromisoformat(f"{day}T{close}").replace(tzinfo=NEW_YORK).astimezone(UTC),
    )


# Thanksgiving week of 2026 has a holiday on Thursday, an early close on Friday, then a weekend.
SESSIONS = (
    session("2026-11-23"),
    session("2026-11-24"),
    session("2026-11-25"),
    session("2026-11-27", "13:00"),
    session("2026-11-30"),
)
BELL = Trigger(
    scheduled_time=None,
    slot=None,
    report_only=False,
    flatten=False,
    goes_on_when_closed=False,
    slots=("day",),
    max_bell_age_seconds=900,
    run_deadline_seconds=600,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def clock(text: str) -> Clock:
    now = at(text)
    return Clock(now, is_open=any(each.open <= now < each.close for each in SESSIONS))


def rung(bell: Trigger, text: str) -> Opened:
    answer = resolve_session(bell, clock(text), SESSIONS)
    assert isinstance(answer, Opened)
    return answer


def test_a_trigger_within_the_session_opens_it() -> None:
    answer = rung(BELL, "2026-11-25T09:35")

    assert answer.session == SESSIONS[2]
    assert (answer.previous_session, answer.before_previous) == (
        date(2026, 11, 24),
        date(2026, 11, 23),
    )
    assert answer.slot == "day"
    assert answer.deadline == at("2026-11-25T09:45")


def test_the_day_is_that_of_new_york_whatever_the_time_elsewhere() -> None:
    bell = replace(BELL, goes_on_when_closed=True)

    # 20:30 in New York is already the next day in UTC.
    assert rung(bell, "2026-11-25T20:30").session.date == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-25T09:29:59", "Wednesday 2026-11-25 at 09:30"),
        ("2026-11-25T16:00", "Friday 2026-11-27 at 09:30"),
        ("2026-11-26T09:35", "Friday 2026-11-27 at 09:30"),
        ("2026-11-27T13:00", "Monday 2026-11-30 at 09:30"),
        ("2026-11-28T09:35", "Monday 2026-11-30 at 09:30"),
        ("2026-11-29T12:00", "Monday 2026-11-30 at 09:30"),
    ],
)
def test_a_closed_market_is_reported_with_its_next_opening(now: str, opens: str) -> None:
    assert resolve_session(BELL, clock(now), SESSIONS) == Closed(
        f"The market is closed. It opens next on {opens} in New York."
    )


def test_a_closing_that_the_calendar_does_not_know_is_still_closed() -> None:
    halted = replace(clock("2026-11-25T10:00"), is_open=False)

    assert isinstance(resolve_session(BELL, halted, SESSIONS), Closed)


def test_an_open_clock_on_a_day_without_a_session_is_still_closed() -> None:
    strange = replace(clock("2026-11-26T10:00"), is_open=True)

    assert isinstance(resolve_session(BELL, strange, SESSIONS), Closed)


def test_a_sessions_last_minute_is_not_traded() -> None:
    answer = resolve_session(BELL, clock("2026-11-27T12:59"), SESSIONS)

    assert answer == Closed(
        "The session ends within a minute. It opens next on Monday 2026-11-30 at 09:30 in New York."
    )


def test_the_deadline_is_a_minute_before_an_early_close_at_the_latest() -> None:
    assert rung(BELL, "2026-11-27T12:55").deadline == at("2026-11-27T12:59")


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-25T08:00", date(2026, 11, 24)),
        ("2026-11-26T12:00", date(2026, 11, 25)),
        ("2026-11-27T20:00", date(2026, 11, 27)),
        ("2026-11-28T23:00", date(2026, 11, 27)),
    ],
)
def test_a_run_that_sends_no_orders_continues_with_the_last_session_that_began(
    now: str, day: date
) -> None:
    assert rung(replace(BELL, goes_on_when_closed=True), now).session.date == day


def test_a_report_comes_after_the_close_of_a_session_day() -> None:
    bell = replace(BELL, report_only=True, scheduled_time=at("2026-11-27T16:15"))

    answer = rung(bell, "2026-11-27T16:15:03")

    assert (answer.session.date, answer.slot) == (date(2026, 11, 27), "report")
    assert isinstance(
        resolve_session(replace(bell, scheduled_time=None), clock("2026-11-26T16:15"), SESSIONS),
        Closed,
    )


@pytest.mark.parametrize(("day", "reported_at"), [("2026-11-25", "16:15"), ("2026-11-27", "13:15")])
def test_a_report_trigger_before_the_close_reports_nothing(day: str, reported_at: str) -> None:
    reported = {}
    for time in ("13:15", "16:15"):
        bell = replace(BELL, report_only=True, scheduled_time=at(f"{day}T{time}"))
        reported[time] = resolve_session(bell, clock(f"{day}T{time}:03"), SESSIONS)

    assert isinstance(reported[reported_at], Opened)
    early = [each for each in reported.values() if isinstance(each, Closed)]
    assert [each.message for each in early] == (
        ["The session is not over. It closes at 16:00 in New York. The report follows."]
        if reported_at == "16:15"
        else []
    )


def test_a_person_may_start_a_report_during_the_session() -> None:
    bell = replace(BELL, report_only=True, goes_on_when_closed=True)

    assert rung(bell, "2026-11-25T11:00").slot == "report"
    assert rung(bell, "2026-11-25T11:00").previous_close == at("2026-11-24T16:00")


def test_a_trigger_from_the_future_is_refused() -> None:
    bell = replace(BELL, scheduled_time=at("2026-11-25T09:35:06"))

    with pytest.raises(InvalidInputError, match="SCHEDULED_TIME_IN_FUTURE"):
        resolve_session(bell, clock("2026-11-25T09:35"), SESSIONS)

    assert rung(bell, "2026-11-25T09:35:01").slot == "day"


@pytest.mark.parametrize(
    ("rang", "now"),
    [
        ("2026-11-25T09:35", "2026-11-25T09:50:01"),
        ("2026-11-24T09:35", "2026-11-25T09:35"),
        ("2026-11-25T09:35", "2026-11-26T09:35"),  # the desk checks lateness before the closed day
    ],
)
def test_a_trigger_that_is_too_old_is_ignored(rang: str, now: str) -> None:
    with pytest.raises(LateBellError, match=r"BELL_TOO_OLD.*To trade now"):
        resolve_session(replace(BELL, scheduled_time=at(rang)), clock(now), SESSIONS)


def test_a_trigger_from_another_day_is_always_too_old() -> None:
    bell = replace(BELL, scheduled_time=at("2026-11-24T15:59"), max_bell_age_seconds=10**9)

    with pytest.raises(LateBellError):
        resolve_session(bell, clock("2026-11-25T09:31"), SESSIONS)


def test_a_report_is_never_too_late() -> None:
    bell = replace(BELL, report_only=True, scheduled_time=at("2026-11-25T16:15"))

    assert rung(bell, "2026-11-25T19:00").slot == "report"


SLOTTED = replace(BELL, slots=("0935", "1200", "1530"))


@pytest.mark.parametrize(
    ("scheduled", "now", "slot"),
    [
        (None, "2026-11-25T09:35", "0935"),
        (None, "2026-11-25T11:58:59", "0935"),
        (None, "2026-11-25T15:58", "1530"),
        ("2026-11-25T11:59", "2026-11-25T12:01", "0935"),
        ("2026-11-25T12:00", "2026-11-25T12:10", "1200"),
    ],
)
def test_the_slot_is_the_last_one_due_at_the_trigger(
    scheduled: str | None, now: str, slot: str
) -> None:
    bell = replace(SLOTTED, scheduled_time=at(scheduled) if scheduled else None)

    assert rung(bell, now).slot == slot


@pytest.mark.parametrize(
    ("slot", "now", "deadline"),
    [
        (None, "2026-11-25T11:48:59", "2026-11-25T11:58:59"),
        (None, "2026-11-25T11:55", "2026-11-25T11:59"),
        ("0935", "2026-11-25T15:28:59", "2026-11-25T15:29"),
        ("0935", "2026-11-25T15:30", "2026-11-25T15:40"),
        (None, "2026-11-25T15:55", "2026-11-25T15:59"),
    ],
)
def test_a_run_sends_nothing_in_the_last_minute_before_the_next_slot(
    slot: str | None, now: str, deadline: str
) -> None:
    # An order may take half a minute to show, so neither run would see the other's buys.
    assert rung(replace(SLOTTED, slot=slot), now).deadline == at(deadline)


@pytest.mark.parametrize("now", ["2026-11-25T11:59", "2026-11-25T11:59:59"])
def test_a_run_that_could_send_nothing_before_the_next_slot_is_refused(now: str) -> None:
    with pytest.raises(InvalidInputError, match="SLOT_OVER: slot=0935 later=1200"):
        rung(SLOTTED, now)

    assert rung(replace(SLOTTED, goes_on_when_closed=True), now).deadline > at(now)  # a dry run
    assert rung(replace(SLOTTED, flatten=True), now).deadline > at("2026-11-25T12:00")


def test_slots_a_minute_apart_leave_no_time_for_a_run() -> None:
    # Only the last slot would ever trade, so the parameter refuses such slots.
    bell = replace(BELL, slots=("0935", "0936", "0937"))
    for now in ("2026-11-25T09:35", "2026-11-25T09:36:30"):
        with pytest.raises(InvalidInputError, match="SLOT_OVER"):
            rung(bell, now)
    assert rung(bell, "2026-11-25T09:37").deadline == at("2026-11-25T09:47")


def test_an_input_may_name_a_slot_that_is_due() -> None:
    assert rung(replace(SLOTTED, slot="0935"), "2026-11-25T12:30").slot == "0935"


@pytest.mark.parametrize(
    ("slot", "now"), [("1530", "2026-11-25T12:30"), (None, "2026-11-25T09:31")]
)
def test_a_slot_that_is_not_due_is_refused(slot: str | None, now: str) -> None:
    with pytest.raises(InvalidInputError, match="SLOT_NOT_DUE"):
        resolve_session(replace(SLOTTED, slot=slot), clock(now), SESSIONS)


@pytest.mark.parametrize("now", ["2026-11-25T12:30", "2026-11-26T12:30"])
@pytest.mark.parametrize("slot", ["day", "0936", "report", "../x", ""])
def test_a_slot_that_is_not_deployed_is_refused_also_while_the_market_is_closed(
    slot: str, now: str
) -> None:
    with pytest.raises(InvalidInputError, match="SLOT_UNKNOWN"):
        resolve_session(replace(SLOTTED, slot=slot), clock(now), SESSIONS)


def test_after_the_session_all_its_slots_are_due() -> None:
    bell = replace(SLOTTED, goes_on_when_closed=True)

    assert rung(bell, "2026-11-26T09:31").slot == "1530"


def test_the_first_session_of_the_calendar_has_none_before_it() -> None:
    with pytest.raises(InsufficientHistoryError, match="CALENDAR_TOO_SHORT"):
        resolve_session(BELL, clock("2026-11-23T10:00"), SESSIONS)


def test_the_second_session_of_the_calendar_has_no_session_to_compare_with() -> None:
    assert rung(BELL, "2026-11-24T10:00").before_previous is None


def test_an_empty_calendar_is_the_brokers_fault() -> None:
    with pytest.raises(BrokerUnavailableError, match="CALENDAR_EMPTY"):
        resolve_session(BELL, clock("2026-11-25T10:00"), ())


def test_a_calendar_that_ends_today_does_not_give_the_next_opening() -> None:
    answer = resolve_session(BELL, clock("2026-11-30T17:00"), SESSIONS)

    assert isinstance(answer, Closed)
    assert "does not say" in answer.message


@given(
    minutes=st.integers(0, 7 * 24 * 60),
    age=st.integers(-5, 900),
    slots=st.sampled_from([("day",), ("0935", "1530")]),
)
def test_a_trigger_never_opens_a_session_that_is_not_under_way(
    minutes: int, age: int, slots: tuple[str, ...]
) -> None:
    now = at("2026-11-24T00:00") + timedelta(minutes=minutes)
    bell = replace(BELL, slots=slots, scheduled_time=now - timedelta(seconds=age))
    is_open = any(each.open <= now < each.close for each in SESSIONS)
    try:
        answer = resolve_session(bell, Clock(now, is_open=is_open), SESSIONS)
    except (InvalidInputError, LateBellError):
        return
    if isinstance(answer, Opened):
        assert answer.session.open <= now < answer.deadline <= answer.session.close
        assert answer.previous_session < answer.session.date == now.astimezone(NEW_YORK).date()
        assert answer.slot in slots


@pytest.mark.parametrize("slots", [("day",), ("0935", "1530")])
def test_a_flatten_has_the_slot_of_its_minute_and_no_later_slot_shortens_it(
    slots: tuple[str, ...],
) -> None:
    bell = replace(BELL, flatten=True, slots=slots)

    answer = rung(bell, "2026-11-25T15:29")

    assert (answer.slot, answer.deadline) == ("f1529", at("2026-11-25T15:39"))
    assert rung(bell, "2026-11-25T09:31").slot == "f0931"  # even if no slot is due
    rang = replace(bell, scheduled_time=at("2026-11-25T15:28"))
    assert rung(rang, "2026-11-25T15:29").slot == "f1528"


def test_a_flatten_needs_an_open_market() -> None:
    answer = resolve_session(replace(BELL, flatten=True), clock("2026-11-26T12:00"), SESSIONS)

    assert isinstance(answer, Closed)
    assert "2026-11-27" in answer.message
