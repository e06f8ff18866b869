"""Owns the mapping of the broker's failures to the leaf classes of `errors`."""

from __future__ import annotations

from collections.abc import Callable

import requests
import urllib3

from algotrader.adapters.alpaca.rate_limits import TOO_MANY_REQUESTS
from algotrader.adapters.alpaca.reply import ErrorBody, Reply, error_body
from algotrader.errors import (
    AccountBlockedError,
    BrokerAuthError,
    BrokerRateLimitedError,
    BrokerUnavailableError,
    ConfigurationError,
    DeskError,
    OrderStateUnknownError,
)
from algotrader.model import OrderIntent, OrderRejected

#: Errors that the HTTP library may raise if no answer comes.
NO_ANSWER = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)

_TIMED_OUT = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_REJECTIONS = frozenset({400, 403, 404, 422})
_TAKEN = ("unique", "already", "exist", "taken", "duplicate", "in use")
_MESSAGE_LENGTH = 200


def leaf_for(request: str, cause: Reply | Exception) -> DeskError:
    """Map a failed request to the error on which the state machine acts.

    Parameters
    ----------
    request : str
        Method and path.
    cause : Reply or Exception
        An answer that is not 2xx, or the HTTP library's exception if no answer came.

    Returns
    -------
    DeskError
        Its message contains no header and no key, because the client redacts every `Reply`.
    """
    if isinstance(cause, Exception):
        return BrokerUnavailableError(
            "BROKER_TIMED_OUT" if isinstance(cause, _TIMED_OUT) else "BROKER_UNREACHABLE",
            "The broker did not answer. Check status.alpaca.markets and the base URL.",
            request=f'"{request}"',
            problem=type(cause).__name__,
        )
    make = _BY_STATUS.get(cause.status)
    if make is not None:
        return make(cause)
    if 300 <= cause.status < 400:  # noqa: PLR2004 - HTTP's own range
        return _unavailable(cause, "BROKER_REDIRECTED", "The base URL may be wrong.")
    return _unavailable(cause, "BROKER_ERROR", "Look at status.alpaca.markets.")


def require_ok(reply: Reply) -> Reply:
    """Return a reply with a 2xx status; raise the mapped error for any other status."""
    if not reply.ok:
        raise leaf_for(reply.request, reply)
    return reply


def outcome_of_failed_order(intent: OrderIntent, reply: Reply) -> OrderRejected:
    """Return an order's rejection; raise if the answer does not reject the order.

    Raises
    ------
    BrokerAuthError, BrokerRateLimitedError
        The broker did not accept the order: wrong keys, or too many requests.
    OrderStateUnknownError
        ``ORDER_ID_TAKEN`` if the broker has an order with this id, otherwise
        ``ORDER_FATE_UNKNOWN``.
    """
    if reply.status in {401, TOO_MANY_REQUESTS}:
        raise leaf_for(reply.request, reply)
    refusal = error_body(reply) if reply.body.strip() else ErrorBody()
    if (
        reply.status not in _REJECTIONS
        or refusal is None
        or (
            reply.status == 404 and refusal == ErrorBody()  # noqa: PLR2004 - an unknown path
        )
    ):
        raise fate_unknown(intent, f"status {reply.status}")
    message = refusal.message.lower()
    if "client_order_id" in message.replace(" ", "_") and any(word in message for word in _TAKEN):
        raise OrderStateUnknownError(
            "ORDER_ID_TAKEN",
            "The run looks the order up by its id and tries again.",
            client_order_id=intent.client_order_id,
        )
    if reply.status == 403 and _is_about_keys(refusal):  # noqa: PLR2004 - HTTP's own
        raise _keys_refused(reply)
    return OrderRejected(
        client_order_id=intent.client_order_id,
        symbol=intent.symbol,
        code=str(reply.status if refusal.code is None else refusal.code),
        detail=refusal.message[:_MESSAGE_LENGTH] or f"HTTP {reply.status}",
    )


def fate_unknown(intent: OrderIntent, problem: str) -> OrderStateUnknownError:
    """Build the error for a sent order whose result is unknown."""
    return OrderStateUnknownError(
        "ORDER_FATE_UNKNOWN",
        "The run looks the order up by its id and sends it again only under the same id.",
        client_order_id=intent.client_order_id,
        problem=f'"{problem}"',
    )


def _is_about_keys(refusal: ErrorBody | None) -> bool:
    """Whether the trading API's 403 refuses the keys.

    Alpaca's codes begin with an HTTP status. A code 4031xxxx concerns an order or the account, even
    if the message is "account is not authorized to trade".
    """
    code = "" if refusal is None else str(refusal.code)
    return not code.isdecimal() or code.startswith("401")


def _data_is_about_keys(refusal: ErrorBody | None) -> bool:
    """Whether the market data API's 403 refuses the keys.

    The 403 for a missing subscription has no code either, so the message decides.
    """
    message = "" if refusal is None else refusal.message.lower()
    return message.startswith("forbidden") or "authoriz" in message or "credential" in message


def _unavailable(reply: Reply, code: str, advice: str) -> DeskError:
    return BrokerUnavailableError(code, advice, **_facts(reply))


def _facts(reply: Reply) -> dict[str, object]:
    return {"request": f'"{reply.request}"', "status": reply.status, **_quote(reply)}


def _quote(reply: Reply) -> dict[str, str]:
    """Quote the broker's message if it came as JSON.

    The function replaces quotation marks, because one of them would end the quotation and the rest
    could look like our advice.
    """
    refusal = error_body(reply)
    if refusal is None:
        return {}
    words = refusal.message[:_MESSAGE_LENGTH].replace('"', "'")
    return {"broker": f'"{words}"'}


def _keys_refused(reply: Reply) -> DeskError:
    return BrokerAuthError(
        "BROKER_KEYS_REFUSED",
        "Put the right key pair into the SecureString that AlpacaKeysParameter names; paper and "
        "live accounts have different keys, and TradingMode must match them.",
        **_facts(reply),
    )


def _account_refused(reply: Reply) -> DeskError:
    return AccountBlockedError(
        "ACCOUNT_FORBIDDEN",
        "Check the account on Alpaca's dashboard, or contact Alpaca support.",
        **_facts(reply),
    )


def _forbidden(reply: Reply) -> DeskError:
    refusal = error_body(reply)
    if not reply.is_market_data:
        return _keys_refused(reply) if _is_about_keys(refusal) else _account_refused(reply)
    if not _data_is_about_keys(refusal):
        return ConfigurationError(
            "DATA_FEED_FORBIDDEN",
            "The subscription does not permit this feed: deploy with DataFeed=iex for the latest "
            "prices, with BarsFeed=iex for bars, or subscribe.",
            request=f'"{reply.request}"',
            **_quote(reply),
        )
    return _keys_refused(reply)


def _rate_limited(reply: Reply) -> DeskError:
    return BrokerRateLimitedError(
        "BROKER_RATE_LIMITED",
        "The run tries again by itself. If this happens often, other programs share the account.",
        request=f'"{reply.request}"',
        wait_seconds=reply.limit.wait_seconds,
    )


def _refused(reply: Reply) -> DeskError:
    return ConfigurationError(
        "BROKER_REFUSED_REQUEST",
        "Compare the template's parameters with the broker's message.",
        **_facts(reply),
    )


def _not_found(reply: Reply) -> DeskError:
    return _unavailable(reply, "BROKER_PATH_NOT_FOUND", "The base URL may be wrong.")


_BY_STATUS: dict[int, Callable[[Reply], DeskError]] = {
    400: _refused,
    401: _keys_refused,
    403: _forbidden,
    404: _not_found,
    422: _refused,
    TOO_MANY_REQUESTS: _rate_limited,
}
