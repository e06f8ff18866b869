"""Owns the running broker: an account, its simulated clock, and the lock for both."""

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
from local.paper_broker.rate_limit import REQUESTS_PER_MINUTE
from local.paper_broker.values import AccountSetup, Behaviour

BELL = time_of_day(9, 35)


class TimeRunsForwardError(ValueError):
    """The requested instant is in the account's past."""


@dataclass(frozen=True, slots=True)
class Options:
    """A broker's setup.

    Attributes
    ----------
    session : date or None
        The session at whose bell the clock starts; None means the newest session.
    clock_scale : float
        Simulated seconds per real second.
    keys : tuple of str or None
        Key id and secret that clients must send; None accepts any keys.
    real_time_sip : bool
        Whether the data plan includes recent SIP data, as paid plans do.
    faults : tuple of Fault
        The fault plan.
    synthetic : int
        Number of synthetic symbols.
    moving_prices : bool
        Whether the latest price follows the synthetic minutes during a session.
    answer_seconds : float
        Real seconds that each request takes, like the round trip to a remote broker.
    requests_per_minute : int
        How many requests each API answers in a minute of the broker's clock; 0 means no limit.
    """

    opening: AccountSetup = field(default_factory=AccountSetup)
    behaviour: Behaviour = field(default_factory=Behaviour)
    session: date | None = None
    clock_scale: float = 1.0
    keys: tuple[str, str] | None = None
    real_time_sip: bool = False
    faults: tuple[Fault, ...] = ()
    synthetic: int = 0
    moving_prices: bool = False
    answer_seconds: float = 0.0
    requests_per_minute: int = REQUESTS_PER_MINUTE


class SimulatedClock:
    """A clock that can be moved forward.

    Parameters
    ----------
    start : datetime
        The instant that the clock shows first.
    scale : float
        Simulated seconds per real second; 0 stops it.
    monotonic : callable
        Returns real seconds since some fixed instant; never decreases.
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
    """The paper broker without its HTTP layer."""

    def __init__(
        self, history: History, options: Options, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.market = HistoricalMarket(history, moving_prices=options.moving_prices)
        self.options = options
        self.faults: FaultPlan | None = None
        self._lock = threading.RLock()
        start = new_york_instant(options.session or history.sessions[-1], BELL)
        self._clock = SimulatedClock(start, options.clock_scale, monotonic)
        self._was_moved = options.session is not None
        self.exchange = self._begin(start)

    @property
    def requests_per_minute(self) -> int:
        """The rate limit; 0 if there is none. A stopped clock has no minutes, so no limit."""
        return self.options.requests_per_minute if self.options.clock_scale else 0

    def now(self) -> datetime:
        """Return the simulated instant."""
        with self._lock:
            return max(self.exchange.now, self._clock.now())

    @contextmanager
    def look(self) -> Iterator[Exchange]:
        """Lock the account, advance it to now, and yield it."""
        with self._lock:
            self.exchange.advance(self.now())
            yield self.exchange

    def hang(self, order_id: str, status: str) -> None:
        """Keep an order in a status forever, before it can fill."""
        with self._lock:
            self.exchange.hang(order_id, status)

    def move_to(self, day: date, at: time_of_day = BELL) -> datetime:
        """Move the clock to a New York date and time, through every event in between.

        An untouched account can start at any instant, even at an earlier one.

        Raises
        ------
        TimeRunsForwardError
            If the instant is in the account's past.
        ValueError
            If the day is outside the history.
        """
        sessions = self.market.sessions
        instant = new_york_instant(day, at)
        if not sessions[0] <= day <= sessions[-1]:
            message = f"the data run from {sessions[0]} to {sessions[-1]}"
            raise ValueError(message)
        with self._lock:
            backward = instant < self.now()
            if self.exchange.is_untouched and (backward or not self._was_moved):
                self.exchange = self._begin(instant)
            elif backward:
                message = f"the account has already reached {self.exchange.now.isoformat()}"
                raise TimeRunsForwardError(message)
            self.exchange.advance(instant)
            self._clock.put(instant)
            self._was_moved = True
        return instant.astimezone(UTC)

    def behave(self, behaviour: Behaviour) -> None:
        """Change how the exchange treats orders from now on."""
        with self.look() as exchange:
            exchange.behaviour = behaviour

    def _begin(self, start: datetime) -> Exchange:
        behaviour = self.exchange.behaviour if hasattr(self, "exchange") else self.options.behaviour
        return Exchange(self.market, self.options.opening, behaviour, start)
