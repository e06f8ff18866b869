"""Owns the meaning of a trigger: the session and slot that it starts, or why it starts none."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from algotrader.errors import (
    BrokerUnavailableError,
    InsufficientHistoryError,
    InvalidInputError,
    LateBellError,
)
from algotrader.model import Clock, Session
from algotrader.model.run import DAY_SLOT, FLATTEN_PREFIX, REPORT_SLOT

NEW_YORK = ZoneInfo("America/New_York")

#: Clocks differ, so a scheduled time may be this far ahead of the broker's clock.
CLOCK_DIFFERENCE = timedelta(seconds=5)
#: A run sends no orders in a session's last minute, when a cancel may come too late.
BEFORE_CLOSE = timedelta(seconds=60)
#: A run sends no orders in the last minute before the next slot, whose run must see every order.
BEFORE_SLOT = timedelta(seconds=60)


class Trigger(Struct, frozen=True):
    """The start of a run, and the settings that apply to it.

    Attributes
    ----------
    scheduled_time : datetime or None
        When the schedule was due to start the run, or None if a person started it.
    slot : str or None
        The slot that the input names.
    report_only : bool
        Whether the run only reports the P&L.
    flatten : bool
        Whether the run sells everything that the desk holds.
    goes_on_when_closed : bool
        Whether the run may use the last session outside market hours. Only a run that sends no
        order may do so.
    slots : tuple of str
        As in `Settings`.
    """

    scheduled_time: datetime | None
    slot: str | None
    report_only: bool
    flatten: bool
    goes_on_when_closed: bool
    slots: tuple[str, ...]
    max_bell_age_seconds: int
    run_deadline_seconds: int


class Opened(Struct, frozen=True):
    """The session and the slot that a trigger starts.

    Attributes
    ----------
    previous_session, before_previous : date
        The session before, and the session before that, or None if the calendar starts there.
    previous_close : datetime
        The close of ``previous_session``.
    deadline : datetime
        The run sends no orders after it. At that time at least a minute is left until the close
        and until the next slot.
    next_session : Session or None
        The session after this one, or None if the calendar ends here.
    """

    session: Session
    previous_session: date
    before_previous: date | None
    previous_close: datetime
    slot: str
    deadline: datetime
    next_session: Session | None = None


class Closed(Struct, frozen=True):
    """A trigger that starts no run; ``message`` says why, and when the next session opens."""

    message: str


def resolve_session(
    trigger: Trigger, clock: Clock, sessions: tuple[Session, ...]
) -> Opened | Closed:
    """Return the session and the slot that a trigger starts, or why it starts none.

    Parameters
    ----------
    clock : Clock
        The broker's clock; the function does not read the machine's own clock.
    sessions : tuple of Session
        The exchange's calendar around now, ascending: at least two sessions back and one ahead.

    Raises
    ------
    InvalidInputError
        ``SCHEDULED_TIME_IN_FUTURE``, ``SLOT_UNKNOWN``, ``SLOT_NOT_DUE`` or ``SLOT_OVER``.
    LateBellError
        ``BELL_TOO_OLD``.
    InsufficientHistoryError, BrokerUnavailableError
        ``CALENDAR_TOO_SHORT`` without an earlier session, ``CALENDAR_EMPTY`` without any session.
    """
    _check_slot(trigger)
    _check_age(trigger, clock.now)
    begun = [each for each in sessions if each.open <= clock.now]
    if not begun:
        raise BrokerUnavailableError(
            "CALENDAR_EMPTY",
            "The broker's calendar has no session before now. Look at status.alpaca.markets.",
            now=clock.now.isoformat(),
        )
    session = begun[-1]
    is_todays = session.date == clock.now.astimezone(NEW_YORK).date()
    trades_now = is_todays and clock.is_open and clock.now < session.close
    is_over = clock.now >= session.close
    if trigger.report_only and trigger.scheduled_time is not None and is_todays and not is_over:
        # The report's first bell is for early closes. On other days it rings before the close.
        closes = f"{session.close.astimezone(NEW_YORK):%H:%M}"
        return Closed(
            f"The session is not over. It closes at {closes} in New York. The report follows."
        )
    # A report may come after the close, but only on the session's own day.
    fits = is_todays if trigger.report_only else trades_now
    if not fits and not trigger.goes_on_when_closed:
        return Closed(f"The market is closed. {_next_open(clock.now, sessions)}")
    if trades_now and not trigger.goes_on_when_closed and session.close - clock.now <= BEFORE_CLOSE:
        return Closed(f"The session ends within a minute. {_next_open(clock.now, sessions)}")
    if len(begun) == 1:
        raise InsufficientHistoryError(
            "CALENDAR_TOO_SHORT",
            "The broker's calendar has no session before this one. Start the run in a later one.",
            session=session.date,
        )
    longest = clock.now + timedelta(seconds=trigger.run_deadline_seconds)
    slot = (
        _flatten_slot(trigger, clock.now)
        if trigger.flatten
        else _slot(trigger, clock.now if is_todays and clock.now < session.close else None)
    )
    # The next slot does not limit a flatten, since the slot's run waits for the flatten. A run
    # that sends no orders does not affect a slot.
    ahead = (
        [] if trigger.flatten or trigger.goes_on_when_closed else _slots_ahead(trigger, clock.now)
    )
    if trades_now:
        _check_next_slot(slot, ahead, clock.now)
    ends = [longest, session.close - BEFORE_CLOSE, *(each - BEFORE_SLOT for each in ahead)]
    return Opened(
        session=session,
        previous_session=begun[-2].date,
        before_previous=begun[-3].date if len(begun) > 2 else None,  # noqa: PLR2004 - the third last
        previous_close=begun[-2].close,
        slot=slot,
        deadline=min(ends) if trades_now else longest,
        next_session=next((each for each in sessions if each.date > session.date), None),
    )


def _check_slot(trigger: Trigger) -> None:
    if trigger.slot is not None and trigger.slot not in trigger.slots:
        raise InvalidInputError(
            "SLOT_UNKNOWN",
            f"Name one of the template's Slots: {', '.join(trigger.slots)}.",
            slot=repr(trigger.slot[:20]),
        )


def _check_age(trigger: Trigger, now: datetime) -> None:
    rang = trigger.scheduled_time
    if rang is None:
        return
    if rang > now + CLOCK_DIFFERENCE:
        raise InvalidInputError(
            "SCHEDULED_TIME_IN_FUTURE",
            "Leave scheduled_time out, or wait until then.",
            scheduled_time=rang.isoformat(),
            now=now.isoformat(),
        )
    if trigger.report_only:
        return
    age = now - rang
    is_of_another_day = rang.astimezone(NEW_YORK).date() != now.astimezone(NEW_YORK).date()
    if age > timedelta(seconds=trigger.max_bell_age_seconds) or is_of_another_day:
        raise LateBellError(
            "BELL_TOO_OLD",
            "To trade now, start an execution yourself with {}, or allow older "
            "bells with MaxBellAgeSeconds.",
            scheduled_time=rang.isoformat(),
            now=now.isoformat(),
            age_seconds=round(age.total_seconds()),
            max_age_seconds=trigger.max_bell_age_seconds,
        )


def _flatten_slot(trigger: Trigger, now: datetime) -> str:
    """Return a flatten's slot. Two flattens within a minute are the same run, which sells once."""
    at = (trigger.scheduled_time or now).astimezone(NEW_YORK)
    return f"{FLATTEN_PREFIX}{at:%H%M}"


def _slot(trigger: Trigger, now: datetime | None) -> str:
    """Return the slot; ``now`` is None once the session is over, when all its slots are due."""
    if trigger.report_only:
        return REPORT_SLOT
    if trigger.slots == (DAY_SLOT,):
        return DAY_SLOT
    due = trigger.slots
    if now is not None:
        # A late bell still counts for its scheduled time.
        at = (trigger.scheduled_time or now).astimezone(NEW_YORK).strftime("%H%M")
        due = tuple(each for each in trigger.slots if each <= at)
    if not due or (trigger.slot is not None and trigger.slot not in due):
        raise InvalidInputError(
            "SLOT_NOT_DUE",
            "Wait until the slot begins (New York time), or change the template's Slots.",
            slot=trigger.slot or trigger.slots[0],
        )
    return trigger.slot or due[-1]


def _check_next_slot(slot: str, ahead: list[datetime], now: datetime) -> None:
    """Raise ``SLOT_OVER`` if the next slot is so near that the run could send nothing."""
    if ahead and min(ahead) - now <= BEFORE_SLOT:
        raise InvalidInputError(
            "SLOT_OVER",
            "The next slot begins within a minute, and its run must see every "
            "order of this one. Wait for the next slot.",
            slot=slot,
            later=f"{min(ahead).astimezone(NEW_YORK):%H%M}",
        )


def _slots_ahead(trigger: Trigger, now: datetime) -> list[datetime]:
    """Return the instants of today's remaining slots.

    Two runs at the same time would buy twice, since neither sees the other's later orders.
    """
    today = now.astimezone(NEW_YORK).date()
    starts = [
        datetime.combine(today, time.fromisoformat(each), NEW_YORK).astimezone(UTC)
        for each in trigger.slots
        if each != DAY_SLOT
    ]
    return [each for each in starts if each > now]


def _next_open(now: datetime, sessions: tuple[Session, ...]) -> str:
    ahead = [each.open for each in sessions if each.open > now]
    if not ahead:
        return "The broker's calendar does not say when it opens next."
    return f"It opens next on {ahead[0].astimezone(NEW_YORK):%A %Y-%m-%d at %H:%M} in New York."
