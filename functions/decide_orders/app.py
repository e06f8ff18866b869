"""Owns the Decide Orders step's handler."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from algotrader.adapters.store import Store
from algotrader.adapters.strategy_output import log_strategy_output
from algotrader.contracts import (
    Artifact,
    DecideOrdersEvent,
    DecideOrdersResult,
    decode,
    decode_event,
    encode,
)
from algotrader.decision.decide import decide
from algotrader.decision.flatten import flatten
from algotrader.decision.stops_over_actions import cancel_stops
from algotrader.execution import first_plan
from algotrader.model import Features, Settings, Snapshot
from algotrader.strategy import load_strategy

logger = Logger(service="decide_orders")


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], _context: Any) -> Any:
    """Decide the orders and build the first plan for Submit Orders."""
    request = decode_event(DecideOrdersEvent, event, "the input of Decide Orders")
    run = request.run
    logger.append_keys(run_id=run.run_id)
    store = Store(os.environ["BUCKET"])
    settings = store.get(request.settings, Settings)
    snapshot = store.get(request.snapshot, Snapshot)
    if run.is_flatten:  # a flatten needs neither features nor a strategy
        decision = flatten(run, settings, snapshot)
    elif run.is_report:
        decision = cancel_stops(run, settings, snapshot)
    else:
        stored = decode(Artifact, request.features, "the features of Decide Orders")
        features = store.get(stored, Features)
        with log_strategy_output(logger.info):
            strategy = load_strategy(settings.strategy, settings.strategy_parameters)
            decision = decide(run, settings, snapshot, features, strategy)
    wanted = (decision.exits, decision.entries, decision.cancels, decision.stops)
    sends = run.sends_orders and any(wanted)
    # The name is not "decision", because Submit Orders writes that journal object, exactly once.
    result = DecideOrdersResult(
        outcome="SUBMIT" if sends else "NOTHING_TO_SUBMIT",
        decision=store.put(run, "decided", decision),
        plan=store.put(run, "plan-000", first_plan(run, decision)),
    )
    logger.info(
        "Orders decided",
        outcome=result.outcome,
        exits=len(decision.exits),
        entries=len(decision.entries),
        cancels=len(decision.cancels),
        denied=len(decision.denied),
    )
    return encode(result)
