"""Owns requests to the broker: time-outs, the call's budget, repeated reads, and rate limits."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Container, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from alpaca_trade_api import REST

from algotrader.adapters.alpaca.body import ACCEPTED_ENCODING, read_body
from algotrader.adapters.alpaca.faults import NO_ANSWER, leaf_for
from algotrader.adapters.alpaca.rate_limits import TOO_MANY_REQUESTS, read_rate_limit
from algotrader.adapters.alpaca.reply import Reply
from algotrader.adapters.keys import Keys
from algotrader.adapters.settings import LOOPBACK
from algotrader.errors import BrokerUnavailableError, ConfigurationError

T = TypeVar("T")
Parameters = Mapping[str, str | int]

CONNECT_TIMEOUT_SECONDS = 3.05
READ_TIMEOUT_SECONDS = 10.0
#: A server that drips bytes never triggers the read timeout, so each request has a deadline.
REQUEST_SECONDS = 15.0
#: Pauses before the client repeats a read. It repeats only reads, and only within the budget.
READ_PAUSES_SECONDS = (0.2, 0.4)
#: Failures after which the client repeats a read. Market data has many pages, so the client also
#: repeats a page that timed out, and the run continues from there.
_REPEATED = {
    False: frozenset({"BROKER_UNREACHABLE"}),
    True: frozenset({"BROKER_UNREACHABLE", "BROKER_TIMED_OUT"}),
}
#: How many times the client sends a read that the broker answers with 429. More than once means
#: that other programs use the account, or that the headers are wrong.
MOST_TRIES = 3
#: The time that a request needs after a wait.
_ANSWER_SECONDS = 1.0


class AlpacaClient(REST):  # type: ignore[misc]  # the library has no types
    """alpaca-trade-api's client without its retries and its parsing.

    The library repeats POSTs on 429 and 504, waits forever on a stuck socket and parses money as
    floats. This class does none of that. Methods return a `Reply` or raise an error of `errors`.

    Parameters
    ----------
    keys : Keys
        The account's keys.
    trading_url, data_url : str
        Base addresses; a trailing ``/`` or ``/v2`` is dropped.
    budget_seconds : float
        Time for all requests together, from now.
    """

    def __init__(self, keys: Keys, trading_url: str, data_url: str, budget_seconds: float) -> None:
        self._data_url = normalize_url(data_url, "AlpacaDataUrl")
        super().__init__(
            keys.key_id, keys.secret_key, normalize_url(trading_url, "AlpacaTradingUrl"), "v2"
        )
        self._keys = keys
        self._oauth = None  # the deployed keys decide, not APCA_API_OAUTH_TOKEN
        self._retry = 0
        self._use_raw_data = True
        self._session.headers["Accept-Encoding"] = ACCEPTED_ENCODING
        self._ends_at = time.monotonic() + budget_seconds
        # Alpaca counts requests to its trading API and to its market data API separately.
        self._resets_at = dict.fromkeys((False, True), 0.0)  # keyed by is_market_data
        hosts = {urlsplit(url).hostname for url in (self._base_url, self._data_url)}
        if hosts <= LOOPBACK:
            self._session.trust_env = False  # a proxy cannot reach this machine's own loopback

    def read(self, path: str, parameters: Parameters | None = None) -> Reply:
        """GET from the trading API; repeat the request if the answer is broken or 429."""
        return self._read(lambda: self.get(path, parameters), is_market_data=False)

    def read_data(self, path: str, parameters: Parameters, version: str = "v2") -> Reply:
        """GET from the market data API; repeat the request if the answer is broken or 429."""
        return self._read(
            lambda: self._request("GET", path, parameters, self._data_url, version),
            is_market_data=True,
        )

    def _read(self, ask: Callable[[], Reply], *, is_market_data: bool) -> Reply:
        """Wait for the API's reset if its limit is exhausted; then ask, and repeat after a 429."""
        self._sleep_until_reset(is_market_data=is_market_data)
        reply = self._repeat(ask, _REPEATED[is_market_data])
        for _ in range(MOST_TRIES - 1):
            is_limited = reply.status == TOO_MANY_REQUESTS
            if not is_limited or not self._sleep_until_reset(is_market_data=is_market_data):
                break
            reply = self._repeat(ask, _REPEATED[is_market_data])
        return reply

    def _sleep_until_reset(self, *, is_market_data: bool) -> bool:
        """Return whether the API can answer now; do not sleep if the budget would end first."""
        pause = self._resets_at[is_market_data] - time.monotonic()
        if self._ends_at - time.monotonic() < pause + _ANSWER_SECONDS:
            return False
        if pause > 0:
            time.sleep(pause)
        return True

    def _note_limit(self, reply: Reply) -> Reply:
        """Remember how long the reply's API will answer only 429."""
        if reply.limit.is_exhausted or reply.status == TOO_MANY_REQUESTS:
            resets_at = time.monotonic() + reply.limit.wait_seconds
            self._resets_at[reply.is_market_data] = resets_at
        return reply

    def _repeat(self, ask: Callable[[], Reply], repeated: Container[str]) -> Reply:
        for pause in READ_PAUSES_SECONDS:
            started = time.monotonic()
            try:
                reply = ask()
            except BrokerUnavailableError as error:
                if error.code not in repeated:
                    raise
            else:
                if not reply.is_broken:
                    return reply
            spent = time.monotonic() - started
            if self._ends_at - time.monotonic() < pause + max(spent, _ANSWER_SECONDS):
                break
            time.sleep(pause)
        return ask()

    def _one_request(self, method: str, url: str, opts: dict[str, object], retry: int) -> Reply:
        """Override the library's method: make one request within its time, and never repeat it."""
        del retry
        request = f"{method} {urlsplit(url).path}"
        seconds = min(REQUEST_SECONDS, self._ends_at - time.monotonic())
        if seconds <= 0:
            raise BrokerUnavailableError(
                "BROKER_BUDGET_SPENT",
                "The broker was too slow for this call; the run tries again.",
                request=f'"{request}"',
            )
        timeout = (min(CONNECT_TIMEOUT_SECONDS, seconds), min(READ_TIMEOUT_SECONDS, seconds))

        def ask() -> Reply:
            with self._session.request(
                method, url, timeout=timeout, stream=True, **opts
            ) as response:
                return Reply(
                    request,
                    response.status_code,
                    self._keys.redact(read_body(request, response)),
                    read_rate_limit(response.headers),
                )

        try:
            return self._note_limit(within(seconds, ask))
        except NO_ANSWER as error:
            raise leaf_for(request, error) from error


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return a call's result; raise TimeoutError if the call takes longer.

    After a TimeoutError the call's thread ends with its socket's timeout, and its result is lost.
    """
    results: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - passed to the caller's thread
            results.put((None, error))

    threading.Thread(target=work, name="broker-request", daemon=True).start()
    try:
        value, error = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # an error came instead of None


def normalize_url(url: str, parameter: str) -> str:
    """Return a base address without a trailing ``/`` or ``/v2``.

    Raises
    ------
    ConfigurationError
        ``BROKER_URL_INVALID`` if the address is not http or https, or contains a user name.
    """
    text = url.strip().rstrip("/").removesuffix("/v2").rstrip("/")
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "BROKER_URL_INVALID",
            f"Set the template's {parameter} to an address such as "
            "https://paper-api.alpaca.markets, or leave it empty.",
            parameter=parameter,
        )
    return text
