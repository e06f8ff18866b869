"""Owns the running broker: an account, its simulated clock, and the lock over both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

from local.paper_broker.data import History
from local.paper_broker.exchange import Exchange
from local.paper_broker.faults import Fault, FaultPlan
from local.paper_broker.market import HistoricalMarket, new_york_instant
from local.paper_broker.values import AccountSetup, Behaviour

BELL = time_of_day(9, 35)


class TimeRunsForwardError(ValueError):
    """The account has already lived through the instant."""


@dataclass(frozen=True, slots=True)
class Options:
    """The setup of a broker.

    Attributes
    ----------
    session : date or None
        Where the clock starts; None means the newest session.
    clock_scale : float
        Simulated seconds per real second.
    keys : tuple of str or None
        Key id and secret that clients must send; None takes any.
    real_time_sip : bool
        Whether the data plan gives recent SIP data, as paid plans do.
    faults : tuple of Fault
        Requests that fail, and how.
    synthetic : int
        How many synthetic symbols there are.
    """

    opening: AccountSetup = field(default_factory=AccountSetup)
    behaviour: Behaviour = field(default_factory=Behaviour)
    session: date | None = None
    clock_scale: float = 1.0
    keys: tuple[str, str] | None = None
    real_time_sip: bool = False
    faults: tuple[Fault, ...] = ()
    synthetic: int = 0


class SimulatedClock:
    """A clock that can be moved forward.

    Parameters
    ----------
    start : datetime
        The instant that it shows now.
    scale : float
        Simulated seconds per real second; 0 stops it.
    monotonic : callable
        Real seconds from any origin; never decreases.
    """

    def __init__(self, start: datetime, scale: float, monotonic: Callable[[], float]) -> None:
        self._shown = start
        self._scale = scale
        self._monotonic = monotonic
        self._put_at = monotonic()

    def now(self) -> datetime:
        """Return the simulated instant."""
        return self._shown + timedelta(seconds=(self._monotonic() - self._put_at) * self._scale)

    def put(self, instant: datetime) -> None:
        """Move the clock to an instant."""
        self._shown = instant
        self._put_at = self._monotonic()


class PaperBroker:
    """The paper broker without its HTTP layer.

    Parameters
    ----------
    history : History
        The market.
    options : Options
        The account, the keys, the clock.
    monotonic : callable
        Real seconds; a test may give its own.
    """

    def __init__(
        self, history: History, options: Options, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.market = HistoricalMarket(history)
        self.options = options
        self.faults: FaultPlan | None = None
        self._lock = threading.RLock()
        start = new_york_instant(options.session or history.sessions[-1], BELL)
        self._clock = SimulatedClock(start, options.clock_scale, monotonic)
        self._was_moved = options.session is not None
        self.exchange = self._begin(start)

    @contextmanager
    def look(self) -> Iterator[Exchange]:
        """Lock the account, advance it to now, and yield it."""
        with self._lock:
            self.exchange.advance(max(self.exchange.now, self._clock.now()))
            yield self.exchange

    def move_to(self, day: date, at: time_of_day = BELL) -> datetime:
        """Move the clock to a New York date and time, through every event in between.

        An account without any events may begin anywhere, even in the past.

        Raises
        ------
        TimeRunsForwardError
            If the account would have to live backward.
        ValueError
            If the history does not reach the day.
        """
        sessions = self.market.sessions
        instant = new_york_instant(day, at)
        if not sessions[0] <= day <= sessions[-1]:
            message = f"the bars reach from {sessions[0]} to {sessions[-1]}"
            raise ValueError(message)
        with self._lock:
            backward = instant < max(self.exchange.now, self._clock.now())
            if self.exchange.is_untouched and (backward or not self._was_moved):
                self.exchange = self._begin(instant)
            elif backward:
                message = f"the account has lived to {self.exchange.now.isoformat()} already"
                raise TimeRunsForwardError(message)
            self.exchange.advance(instant)
            self._clock.put(instant)
            self._was_moved = True
        return instant.astimezone(UTC)

    def behave(self, behaviour: Behaviour) -> None:
        """Change how orders are treated from now on."""
        with self.look() as exchange:
            exchange.behaviour = behaviour

    def _begin(self, start: datetime) -> Exchange:
        behaviour = self.exchange.behaviour if hasattr(self, "exchange") else self.options.behaviour
        return Exchange(self.market, self.options.opening, behaviour, start)


def age_of(behaviour: Behaviour) -> timedelta:
    """Return the reported age of the latest trade."""
    return timedelta(seconds=behaviour.price_age_seconds)
