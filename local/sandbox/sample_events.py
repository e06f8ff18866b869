"""Owns events/: sample inputs of every step, taken from a real run on the sample data.

Run ``PYTHONPATH=functions python -m local.sandbox.sample_events`` after a change of the contracts
to write the files again. Their settings omit default values, so a new limit changes no event.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import structs

from algotrader.contracts import CONTRACT_VERSION, encode
from algotrader.model import Settings
from local.execution_history import Timeline
from local.sandbox.runner.desk import LocalDesk, LocalDeskConfig, open_desk
from local.sandbox.runner.sessions import DEFAULT_SESSION

EVENTS = Path(__file__).parents[2] / "events"
# The second session of the sample run, on which the strategy sells one holding and buys another.
REBALANCE_SESSION = date(2012, 2, 16)
EXECUTION_ARN = "arn:aws:states:us-east-1:123456789012:execution:algo-trader:sample"
INPUTS = {
    "by-hand": {},
    "dry-run": {"dry_run": True},
    "report-only": {"report_only": True},
    "refused-input": {"mode": "live"},
}

Event = dict[str, Any]

DEFAULTS: Event = {
    each.name: encode(each.default) for each in structs.fields(Settings) if not each.required
}


def main() -> None:
    """Trade two sessions and write every step's events."""
    with open_desk(LocalDeskConfig(broker=None, parameters={})) as desk:
        first = _states_of(desk, DEFAULT_SESSION)
        second = _states_of(desk, REBALANCE_SESSION)
    for place, event in _events(first, second):
        path = EVENTS / f"{place}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = event | {"contract": CONTRACT_VERSION}
        path.write_text(json.dumps(whole, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _states_of(desk: LocalDesk, session: date) -> Event:
    """Trade a session and return the execution's variables at its end, with every value inline."""
    if desk.paper_broker is not None:
        desk.paper_broker.open_session(session)
    arn = desk.stack.start({})
    desk.stack.wait(arn)
    timeline = Timeline()
    timeline.extend(desk.stack.history(arn))
    variables: Event = {}
    for state in ("Fetch Bars", "Compute Indicators", "Decide Orders", "Submit Orders"):
        variables |= timeline.result(state) or {}
    # the plan from Decide Orders, which the first call to Submit Orders gets
    variables["plan"] = (timeline.result("Decide Orders") or {})["plan"]
    for name in ("settings", "bars", "snapshot", "features", "decision", "plan", "submission"):
        if variables.get(name) is not None:
            variables[name] = {"inline": desk.read_artifact(variables[name])}
    variables["settings"]["inline"] = {
        name: value
        for name, value in variables["settings"]["inline"].items()
        if name not in DEFAULTS or value != DEFAULTS[name]
    }
    variables["run"]["execution_arn"] = EXECUTION_ARN
    # The session's close, so the sample works at any time of the local broker's session.
    variables["run"]["deadline"] = variables["snapshot"]["inline"]["session"]["close"]
    return variables


def _events(first: Event, second: Event) -> Iterator[tuple[str, Event]]:
    for name, value in INPUTS.items():
        yield f"fetch_bars/{name}", {"execution_arn": EXECUTION_ARN, "input": value}
    yield from _compute_events(first)
    yield from _decide_events(first, second)
    yield from _submit_events(first, second)
    yield from _notify_events(first, second)


def _compute_events(first: Event) -> Iterator[tuple[str, Event]]:
    momentum = _pick(first, "run", "settings", "bars")
    yield "compute_indicators/momentum-rotation", momentum
    cross = copy.deepcopy(momentum)
    cross["settings"]["inline"] |= {
        "strategy": "sma_cross",
        "strategy_parameters": {"fast": 10, "slow": 50},
    }
    yield "compute_indicators/sma-cross", cross
    short = copy.deepcopy(momentum)
    short["bars"]["inline"] = {
        symbol: {
            name: column if name == "timeframe" else column[-40:]
            for name, column in columns.items()
        }
        for symbol, columns in short["bars"]["inline"].items()
    }
    yield "compute_indicators/too-few-bars", short


def _decide_events(first: Event, second: Event) -> Iterator[tuple[str, Event]]:
    names = ("run", "settings", "snapshot", "features")
    yield "decide_orders/first-day", _pick(first, *names)
    yield "decide_orders/rebalance", _pick(second, *names)
    halted = _pick(first, *names)
    halted["snapshot"]["inline"] |= {
        "trading_state": "HALTED",
        "trading_state_reason": "on holiday",
    }
    yield "decide_orders/halted", halted
    dry = _pick(first, *names)
    dry["run"]["sends_orders"] = False
    yield "decide_orders/dry-run", dry
    flat = _pick(second, *names)
    flat["run"] |= {"slot": "f0935", "run_id": f"{REBALANCE_SESSION}-f0935", "entry_symbols": []}
    flat["run"]["journal"] = f"runs/{REBALANCE_SESSION}/{REBALANCE_SESSION}-f0935/"
    yield "decide_orders/flatten", flat | {"features": None}


def _submit_events(first: Event, second: Event) -> Iterator[tuple[str, Event]]:
    names = ("run", "settings", "decision", "plan")
    yield "submit_orders/first-day", _pick(first, *names)
    late = _pick(first, *names)
    late["run"]["deadline"] = late["run"]["started_at"]
    yield "submit_orders/after-the-deadline", late
    dry = _pick(second, *names)
    dry["run"]["sends_orders"] = False
    yield "submit_orders/refused-dry-run", dry


def _notify_events(first: Event, second: Event) -> Iterator[tuple[str, Event]]:
    names = ("run", "settings", "snapshot", "features", "decision", "submission")
    common: Event = {"execution_arn": EXECUTION_ARN, "input": {}, "failure": None}
    yield "notify/trading-day", _pick(second, *names) | common
    report = {**dict.fromkeys(names), **_pick(second, "run", "settings", "snapshot"), **common}
    name = f"{REBALANCE_SESSION}-report"
    report["run"] |= {"sends_orders": False, "slot": "report", "run_id": name}
    report["run"]["journal"] = f"runs/{REBALANCE_SESSION}/{name}/sample/"
    report["snapshot"]["inline"]["performance"]["benchmark"] = "SPY"
    report["input"] = {"report_only": True}
    yield "notify/report", report
    cause = {
        "errorType": "StaleBarsError",
        "errorMessage": "BARS_STALE: late=2 of 4 expected=2012-02-14 symbols=GOOG (newest bar "
        "2012-02-13, 2 sessions old), IBM (newest bar 2012-02-13, 2 sessions old). The feed is "
        "late for too many symbols. Start the run again later, or allow more "
        "of them with MaxStaleShare.",
    }
    failure = {"state": "Fetch Bars", "error": "StaleBarsError", "cause": json.dumps(cause)}
    nothing_known = {**dict.fromkeys(names), **common, "failure": failure}
    yield "notify/failure-in-fetch-bars", nothing_known
    sending = _pick(first, *names) | common
    sending["failure"] = {
        "state": "Submit Orders",
        "error": "OrderStateUnknownError",
        "cause": json.dumps(
            {
                "errorType": "OrderStateUnknownError",
                "errorMessage": "ORDER_STATE_UNKNOWN: client_order_ids="
                f"{first['decision']['inline']['entries'][0]['client_order_id']}. The run looks "
                "them up and, if the broker does not show them, sends them again under the same "
                "ids. If this persists, look for orders with these ids at the broker.",
            }
        ),
    }
    yield "notify/failure-in-submit-orders", sending


def _pick(variables: Event, *names: str) -> Event:
    return copy.deepcopy({name: variables[name] for name in names})


if __name__ == "__main__":
    main()
