"""Owns the run document that ``run --json`` prints: an execution, its orders and its account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.execution_history import DECIDE, FETCH, NOTIFY, NOTIFY_FAILURE, SUBMIT, Timeline

ORDER_FIELDS = (
    "symbol",
    "side",
    "qty",
    "notional",
    "order_type",
    "limit_price",
    "stop_price",
    "status",
    "filled_qty",
    "filled_avg_price",
)
ACCOUNT_FIELDS = ("equity", "last_equity", "cash")

Document = dict[str, Any]
ReadArtifact = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an execution, as DescribeExecution returns it."""

    name: str
    status: str
    error: str | None
    cause: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class BrokerView:
    """The broker's account after the run; None and empty if the broker did not answer."""

    account: Mapping[str, Any] | None = None
    orders: tuple[Mapping[str, Any], ...] = ()


def run_of(timeline: Timeline) -> dict[str, Any] | None:
    """Return the run that Fetch Bars claimed, or None if it did not claim one."""
    run = (timeline.result(FETCH) or {}).get("run")
    return run if isinstance(run, dict) else None


def message_of(timeline: Timeline) -> str:
    """Return the message that Fetch Bars returned about the session.

    Return an empty string if there is none.
    """
    return str((timeline.result(FETCH) or {}).get("message") or "")


def order_prefix(run: Mapping[str, Any]) -> str:
    """Return the prefix of a run's client order ids."""
    return f"at1-{run['desk']}-{run['run_id']}-"


def run_document(
    ending: Ending,
    timeline: Timeline,
    broker: BrokerView,
    read_artifact: ReadArtifact,
    session: str | None,
) -> Document:
    """Build a run's document.

    Parameters
    ----------
    read_artifact : callable
        Returns the value behind ``{"inline": …}`` or ``{"s3": …}``, or None if it can't be read.
    session : str or None
        The requested session; the run's own date takes precedence.

    Returns
    -------
    dict
        The fields that docs/local-run.md describes; a field without a value is None.
    """
    run = run_of(timeline)
    decision = _artifact(timeline, read_artifact, DECIDE, "decision")
    submission = _artifact(timeline, read_artifact, SUBMIT, "submission")
    snapshot = _artifact(timeline, read_artifact, FETCH, "snapshot")
    return {
        "execution": {
            "name": ending.name,
            "status": ending.status,
            "error": ending.error or None,
            "cause": ending.cause or None,
            "seconds": round(ending.seconds, 3),
        },
        "states": [
            {
                "name": total.name,
                "seconds": round(total.seconds, 3),
                "attempts": total.attempts,
                "retries": total.retries,
            }
            for total in timeline.totals()
        ],
        "session": run["session"] if run else session,
        "run_id": run["run_id"] if run else None,
        "decision": decision,
        "orders": _orders(run, submission, broker),
        "denied": _denied(decision, submission),
        "notification": _notification(timeline),
        "account": _account(broker, submission, snapshot),
        "returns": _returns(snapshot),
    }


def _artifact(
    timeline: Timeline, read_artifact: ReadArtifact, state: str, name: str
) -> dict[str, Any] | None:
    artifact = (timeline.result(state) or {}).get(name)
    value = read_artifact(artifact) if isinstance(artifact, dict) else None
    return value if isinstance(value, dict) else None


def _orders(
    run: Mapping[str, Any] | None, submission: Mapping[str, Any] | None, broker: BrokerView
) -> list[Document]:
    """Return the run's orders from the broker, plus orders that only the submission has."""
    if run is None:
        return []
    found = {
        str(order["client_order_id"]): order
        for order in broker.orders
        if str(order.get("client_order_id")).startswith(order_prefix(run))
    }
    for order in (submission or {}).get("orders", ()):
        found.setdefault(order["client_order_id"], order)
    return [
        {"client_order_id": key} | {field: _text(order.get(field)) for field in ORDER_FIELDS}
        for key, order in sorted(found.items())
    ]


def _denied(
    decision: Mapping[str, Any] | None, submission: Mapping[str, Any] | None
) -> list[Document]:
    """List the desk's denials, then the broker's rejections, without repeats."""
    found = [
        {"symbol": one["symbol"], "code": one["code"], "detail": one["detail"]}
        for part, key in ((decision, "denied"), (submission, "denied"), (submission, "rejected"))
        for one in (part or {}).get(key, ())
    ]
    return [one for place, one in enumerate(found) if one not in found[:place]]


def _notification(timeline: Timeline) -> Document | None:
    texts = timeline.result(NOTIFY_FAILURE, NOTIFY)
    if texts is None or "sms" not in texts:
        return None
    return {key: texts.get(key) for key in ("sms", "subject", "email")}


def _account(
    broker: BrokerView,
    submission: Mapping[str, Any] | None,
    snapshot: Mapping[str, Any] | None,
) -> Document | None:
    account = broker.account or (submission or {}).get("account")
    if not account:
        return None
    found = {field: _text(account.get(field)) for field in ACCOUNT_FIELDS}
    return found | {"profit": _text((snapshot or {}).get("since_close_pnl"))}


def _returns(snapshot: Mapping[str, Any] | None) -> Document | None:
    performance = (snapshot or {}).get("performance")
    if not performance:
        return None
    return {"symbol": performance["benchmark"], **performance["returns"]}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
