"""Owns the rate limit: how many requests a minute each API answers, and the headers about it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from werkzeug.wrappers import Response

#: Alpaca's limit for an account. It counts trading and market data apart.
REQUESTS_PER_MINUTE = 200
WINDOW = timedelta(minutes=1)
MARKET_DATA = ("/v2/stocks/", "/v1/", "/v1beta1/")


@dataclass(slots=True)
class RateLimit:
    """The limit of one API, in windows of a minute that begin with a request.

    Parameters
    ----------
    per_minute : int
        The most requests in a window; 0 means no limit.
    """

    per_minute: int
    _ends: datetime | None = None
    _count: int = 0

    def admit(self, now: datetime) -> bool:
        """Count a request; return False if the window already has as many as it may."""
        if not self._ends or not self._ends - WINDOW <= now < self._ends:
            # Whole seconds, because the headers have no fractions.
            self._ends, self._count = now.replace(microsecond=0) + WINDOW, 0
        if self._count >= self.per_minute:
            return False
        self._count += 1
        return True

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the headers of an answer to the last request."""
        ends = self._ends or now
        return limit_headers(self.per_minute, self.per_minute - self._count, ends, now)


@dataclass(slots=True)
class RateLimits:
    """The limits of both APIs; with 0 requests a minute neither has one."""

    per_minute: int
    _limits: dict[bool, RateLimit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, path: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether the API answers it, and the headers of the answer."""
        if not self.per_minute:
            return True, {}
        is_market_data = path.startswith(MARKET_DATA)
        with self._lock:
            limit = self._limits.setdefault(is_market_data, RateLimit(self.per_minute))
            return limit.admit(now), limit.headers(now)


def limit_headers(limit: int, remaining: int, reset: datetime, now: datetime) -> dict[str, str]:
    """Return an answer's headers, all of them by the broker's clock."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(int(reset.timestamp())),
        "Date": format_datetime(now.astimezone(UTC), usegmt=True),
    }


def too_many_requests(headers: dict[str, str]) -> Response:
    """Return the answer to a request beyond the limit."""
    body = json.dumps({"code": 42910000, "message": "too many requests."})
    return Response(body, 429, headers, content_type="application/json; charset=UTF-8")
