"""Owns the choice of a run's broker, and the view of its account from outside the desk."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from algotrader.adapters.keys import redact
from algotrader.adapters.settings import PAPER_URL
from local.paper_broker.process import ANY_KEYS
from local.problems import UsageProblem
from local.sandbox.runner.document import BrokerView
from local.server_process import open_url

LIVE_TRADING_HOST = "api.alpaca.markets"
KEY_VARIABLES = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")
LOOK_TIMEOUT_SECONDS = 5
LOOK_ORDERS = 500


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's addresses and keys.

    Attributes
    ----------
    trading_url, data_url : str
        Addresses for the desk; empty means Alpaca's own address for the trading mode.
    look_url : str
        Address of the trading API; never empty.
    """

    trading_url: str
    data_url: str
    look_url: str
    key_id: str
    secret_key: str = field(repr=False)


def alpaca_paper(environment: Mapping[str, str]) -> Broker:
    """Return the user's own Alpaca paper account.

    Raises
    ------
    UsageProblem
        If the keys are not in the environment.
    """
    missing = [name for name in KEY_VARIABLES if not environment.get(name)]
    if missing:
        raise UsageProblem(
            f"--paper trades your own Alpaca paper account. Set {' and '.join(missing)} "
            "(Alpaca's dashboard, Paper account, API keys)."
        )
    key_id, secret_key = (environment[name] for name in KEY_VARIABLES)
    return Broker("", "", PAPER_URL, key_id, secret_key)


def broker_at(url: str, environment: Mapping[str, str]) -> Broker:
    """Return a broker that speaks Alpaca's REST API at one address, for trading and for data.

    Like the desk's client, this function drops a trailing ``/`` or ``/v2``.

    Raises
    ------
    UsageProblem
        If ``url`` is not an http or https URL.
    """
    if not _is_http(url):
        raise UsageProblem(f"--broker-url {url}: give a URL such as http://127.0.0.1:8080")
    base = url.strip().rstrip("/").removesuffix("/v2").rstrip("/")
    key_id, secret_key = (
        environment.get(name) or test for name, test in zip(KEY_VARIABLES, ANY_KEYS, strict=True)
    )
    return Broker(base, base, base, key_id, secret_key)


def view_account(broker: Broker, session: str | None) -> BrokerView:
    """Read the account and the session's orders; a part stays empty if the broker does not answer.

    Parameters
    ----------
    session : str or None
        ``YYYY-MM-DD``; None reads no orders.
    """
    account = _get(broker, "/v2/account")
    if not isinstance(account, dict):
        return BrokerView()
    orders = None
    if session is not None:
        after = f"{session}T00:00:00Z"
        query = f"status=all&limit={LOOK_ORDERS}&after={after}&direction=desc"
        orders = _get(broker, f"/v2/orders?{query}")
    if not isinstance(orders, list):
        orders = []
    return BrokerView(account, tuple(order for order in orders if isinstance(order, dict)))


def refuse_live_money(mode: str, *urls: str) -> None:
    """Refuse a command that could reach Alpaca's live account.

    Parameters
    ----------
    mode : str
        The template's ``TradingMode``.
    *urls : str
        Addresses that the desk would use; empty means Alpaca's own address for the mode.

    Raises
    ------
    UsageProblem
        If orders could reach the live account.
    """
    live = mode == "live" and "" in urls
    if live or any(urlsplit(url).hostname == LIVE_TRADING_HOST for url in urls if _is_http(url)):
        raise UsageProblem(
            "This command never trades a live account. Deploy the stack with TradingMode=live "
            "instead (docs/going-live.md)."
        )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is not a number raises
    except ValueError:
        return False
    whole = parts.hostname and not parts.query and not parts.fragment
    return parts.scheme in {"http", "https"} and bool(whole)


def _get(broker: Broker, path: str) -> Any:
    request = urllib.request.Request(  # noqa: S310 - http or https, checked in broker_at
        broker.look_url + path,
        headers={"APCA-API-KEY-ID": broker.key_id, "APCA-API-SECRET-KEY": broker.secret_key},
    )
    try:  # without the user's proxies, which the desk does not use either
        with open_url(request, timeout=LOOK_TIMEOUT_SECONDS) as answer:
            return json.loads(redact(answer.read(), broker.key_id, broker.secret_key))
    except (OSError, ValueError, HTTPException):
        return None
