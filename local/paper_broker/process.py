"""Owns the broker as a separate process, and the handle that the runner and tests use."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Self

from local.paper_broker.rate_limit import REQUESTS_PER_MINUTE
from local.server_process import LOOPBACK, ServerProcess, StartError, open_url

ROOT = Path(__file__).resolve().parents[2]
REQUEST_SECONDS = 60.0
ANY_KEYS = ("paper-key", "paper-secret")


class PaperBrokerError(RuntimeError):
    """The paper broker did not start, or it refused a request from its handle."""


class PaperBrokerProcess:
    """A paper broker in its own process, for the duration of a ``with`` block.

    The broker also ends when the process that has the handle dies.

    Parameters
    ----------
    host : str
        The address of this machine to listen on. Containers cannot reach the loopback address.
    port : int
        The port to listen on; 0 takes a free port.
    session : date or None
        The session at whose bell the clock starts; None means the newest session.
    clock_scale : float
        Simulated seconds per real second; 0 stops the clock.
    cash : str
        Opening cash in dollars.
    holdings : mapping, optional
        Shares that the user already holds, by symbol.
    multiplier : int
        1 for a cash account, 2 for a margin account.
    keys : tuple of str, optional
        Key id and secret that clients must send; None accepts any keys.
    behaviour : mapping, optional
        Fields of `local.paper_broker.values.Behaviour` that differ from the default.
    faults : str
        A fault plan; docs/paper-broker.md describes the format.
    synthetic : int
        Number of synthetic symbols, in addition to the real symbols.
    moving_prices : bool
        Whether the latest price follows the synthetic minutes during a session.
    answer_seconds : float
        Real seconds that each request takes, except those under /_paper/.
    requests_per_minute : int
        How many requests each API answers in a minute of the broker's clock; 0 means no limit.
    """

    def __init__(  # noqa: PLR0913 - named, each with its default
        self,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        session: date | None = None,
        clock_scale: float = 1.0,
        cash: str = "100000",
        holdings: Mapping[str, str] | None = None,
        multiplier: int = 2,
        keys: tuple[str, str] | None = None,
        behaviour: Mapping[str, Any] | None = None,
        faults: str = "",
        synthetic: int = 0,
        moving_prices: bool = False,
        answer_seconds: float = 0.0,
        requests_per_minute: int = REQUESTS_PER_MINUTE,
    ) -> None:
        self._arguments = [
            f"--host={host}",
            f"--clock-scale={clock_scale}",
            f"--cash={cash}",
            f"--multiplier={multiplier}",
            f"--behaviour={json.dumps(dict(behaviour or {}))}",
            f"--faults={faults}",
            f"--synthetic={synthetic}",
            f"--answer-seconds={answer_seconds}",
            f"--requests-per-minute={requests_per_minute}",
        ]
        if moving_prices:
            self._arguments.append("--moving-prices")
        if session is not None:
            self._arguments += ["--session", session.isoformat()]
        for symbol, qty in (holdings or {}).items():
            self._arguments += ["--hold", f"{symbol}={qty}"]
        if keys is not None:
            self._arguments += ["--key-id", keys[0], "--secret-key", keys[1]]
        self._place = (host, port)
        self._server: ServerProcess | None = None
        self.key_id, self.secret_key = keys or ANY_KEYS

    @property
    def url(self) -> str:
        """The base URL for trading and data, without a trailing slash."""
        return self._running.url

    @property
    def pid(self) -> int | None:
        """The id of the broker's process."""
        return self._running.pid

    def __enter__(self) -> Self:
        """Start the process and wait until it answers."""
        try:
            self._server = ServerProcess("algo-trader-broker-", *self._place)
        except OSError as error:
            raise PaperBrokerError(f"the paper broker did not start: {error}") from error
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        try:
            self._server.launch(
                [sys.executable, "-m", "local.paper_broker", *self._arguments, "--descriptor"],
                {**os.environ, "PYTHONPATH": path},
            )
            self._server.wait_until_ready("/_paper/behaviour")
        except StartError as error:
            self._stop()
            raise PaperBrokerError(f"the paper broker did not start: {error}") from error
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop the process."""
        self._stop()

    def sessions(self) -> list[date]:
        """List the dates of all sessions, ascending."""
        return [date.fromisoformat(text) for text in self.request("GET", "/_paper/sessions")]

    def open_session(self, day: date | str, time: str = "09:35") -> str:
        """Move the clock to a bell, through every session in between.

        Parameters
        ----------
        day : date or str
            New York date; if it has no session, the exchange stays closed.
        time : str
            New York time of day, HH:MM.

        Returns
        -------
        str
            The bell's instant as RFC 3339 in UTC, for the run's ``scheduled_time``.
        """
        answer = self.request("POST", "/_paper/session", {"date": str(day), "time": time})
        return str(answer["scheduled_time"])

    def account(self) -> dict[str, Any]:
        """Return the account, as GET /v2/account does."""
        return dict(self.request("GET", "/v2/account"))

    def orders(self) -> list[dict[str, Any]]:
        """Return the newest 500 orders, oldest first."""
        newest = self.request("GET", "/v2/orders?status=all&limit=500&direction=desc")
        return list(reversed(newest))

    def positions(self) -> list[dict[str, Any]]:
        """Return the positions, as GET /v2/positions does."""
        return list(self.request("GET", "/v2/positions"))

    def deposit(self, amount: str, activity_type: str | None = None) -> None:
        """Deposit dollars; a negative amount is a withdrawal."""
        self.request("POST", "/_paper/deposit", {"amount": amount, "type": activity_type})

    def order_by_hand(self, symbol: str, side: str, qty: str, **terms: str) -> dict[str, Any]:
        """Place an order as the user would on the broker's site; the next request fills it."""
        body = {"symbol": symbol, "side": side, "qty": qty, **terms}
        return dict(self.request("POST", "/_paper/order", body))

    def faults(self) -> list[dict[str, Any]]:
        """List the plan's faults that have happened, oldest first."""
        return list(self.request("GET", "/_paper/faults"))

    def behave(self, **changes: Any) -> None:
        """Change fields of `Behaviour` from now on."""
        self.request("POST", "/_paper/behaviour", changes)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request with the broker's keys; return its JSON or raise a `PaperBrokerError`."""
        request = urllib.request.Request(  # noqa: S310  # our own loopback URL
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "APCA-API-KEY-ID": self.key_id,
                "APCA-API-SECRET-KEY": self.secret_key,
                "Content-Type": "application/json",
            },
        )
        try:
            with open_url(request, timeout=REQUEST_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            message = f"{method} {path}: {error.code} {text}"
            raise PaperBrokerError(message) from error
        return json.loads(text) if text else None

    @property
    def _running(self) -> ServerProcess:
        if self._server is None:
            raise PaperBrokerError("the paper broker is not running")
        return self._server

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
