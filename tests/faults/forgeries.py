"""Owns what anybody with write access to the bucket can put there."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from tests.faults.simulation import World

PLAN = "/plan-"


def read_decision(world: World) -> dict[str, Any] | None:
    """Read the decision from the journal; None if it is missing or spoiled."""
    for key, body in world.state.bucket.items():
        if key.endswith("decision.json"):
            with suppress(ValueError):
                found = json.loads(body)
                if isinstance(found, dict) and "exits" in found:
                    return found
    return None


def forge_plan(world: World, key: str) -> bytes | None:
    """Build a plan that sells ten times too much and buys a symbol without a decision."""
    decision = read_decision(world)
    if decision is None:
        return None
    sale = decision["exits"][0]
    more = {**sale, "qty": str(10 * int(sale["qty"]))}
    symbol = "CHAR" if sale["symbol"] != "CHAR" else "BETA"
    other = sale["client_order_id"].replace(f"-{sale['symbol']}-exit", f"-{symbol}-entry")
    bought = {**sale, "client_order_id": other, "symbol": symbol, "side": "buy", "leg": "entry"}
    return _plan_of(decision, key, orders=[more, bought])


def forge_denials(world: World, key: str) -> bytes | None:
    """Build a plan that denies every decided order for invented reasons."""
    decision = read_decision(world)
    if decision is None:
        return None
    closed = {"at": "2024-03-06T14:35:00Z", "code": "TRADING_HALTED", "detail": "forged"}
    return _plan_of(
        decision,
        key,
        denied=[
            {**{name: each[name] for name in ("symbol", "side", "qty")}, "code": "X", "detail": ""}
            for each in (*decision["exits"], *decision["entries"])
        ],
        exits_closed=closed,
        entries_closed=closed,
        stops_closed=closed,
    )


def _plan_of(decision: dict[str, Any], key: str, **changes: Any) -> bytes:
    names = ("orders", "denied", "rejected")
    plan: dict[str, Any] = dict.fromkeys(("exits_closed", "entries_closed", "stops_closed"))
    plan |= {each: [] for each in names} | {"cancels": decision["cancels"]}
    plan |= {"run_id": decision["run_id"], "sequence": int(key[-8:-5])}
    return json.dumps(plan | {"polls": 0, "waited_seconds": 0} | changes).encode()


def copy_plan(world: World, key: str) -> bytes | None:
    """Copy the newest other plan, including its seal."""
    plans = {
        each: body
        for each, body in world.state.bucket.items()
        if PLAN in each and each != key and body != world.state.bucket.get(key)
    }
    return plans[max(plans)] if plans else None


def forge_decision(world: World, key: str) -> bytes | None:
    """Double the entries of the stored decision, or build an empty one before the first call."""
    decision = read_decision(world)
    if decision is None:
        return json.dumps({"run_id": key, "entries": []}).encode()
    for each in decision["entries"]:
        each["qty"] = str(2 * int(each["qty"]))
    return json.dumps(decision).encode()
