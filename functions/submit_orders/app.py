"""Owns the Submit Orders step's handler."""

from __future__ import annotations

import gc

gc.disable()  # a collection while modules load frees nothing and takes a tenth of the time

import os
from typing import Any

from aws_lambda_powertools import Logger

from algotrader.adapters.alpaca import AlpacaBroker
from algotrader.adapters.aws import make_clients_early
from algotrader.adapters.settings import broker_urls, load_keys, read_trading_state
from algotrader.adapters.store import Store
from algotrader.contracts import SubmitOrdersEvent, SubmitOrdersResult, decode_event, encode
from algotrader.model import Decision, Plan, Settings
from submit_orders.call import SubmitCall, check_run_may_send
from submit_orders.connections import CONNECTIONS, run_at_once
from submit_orders.plan_journal import PlanJournal
from submit_orders.send_lease import SendLease

logger = Logger(service="submit_orders")
make_clients_early("s3", "ssm")
gc.enable()

# Below the function's Timeout in template.yaml, so the function can still return a result.
HTTP_BUDGET_SECONDS = 70.0


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Send the plan's orders that the broker does not have yet, and return the next plan."""
    request = decode_event(SubmitOrdersEvent, event, "the input of Submit Orders")
    logger.append_keys(run_id=request.run.run_id)
    store = Store(os.environ["BUCKET"])
    settings = store.get(request.settings, Settings)
    check_run_may_send(request.run, settings, os.environ["TRADING_MODE"])
    decision = store.get(request.decision, Decision)
    plan = store.get(request.plan, Plan)
    trading_url, data_url = broker_urls(os.environ, request.run.mode)
    keys = load_keys(os.environ["ALPACA_KEYS_PARAMETER"])
    broker, *senders = (
        AlpacaBroker(keys, trading_url, data_url, HTTP_BUDGET_SECONDS)
        for _ in range(1 + CONNECTIONS)
    )
    call = SubmitCall(
        run=request.run,
        settings=settings,
        decision=decision,
        store=store,
        plans=PlanJournal(request.run, decision, store, keys),
        lease=SendLease(request.run, store, context.aws_request_id),
        broker=broker,
        senders=tuple(senders),
        run_all=run_at_once,
        trading_state=lambda: read_trading_state(
            os.environ["TRADING_STATE_PARAMETER"], request.run.mode
        ),
        log=logger.info,
    )
    step = call.make(plan)
    shown = step.submission
    result = SubmitOrdersResult(
        outcome="COMPLETE" if step.complete else "WORKING",
        wait_seconds=step.wait_seconds,
        plan=store.put(request.run, f"plan-{step.plan.sequence:03d}", step.plan),
        submission=None if shown is None else store.put(request.run, "submission", shown),
    )
    logger.info("Submit call ended", outcome=result.outcome, sequence=step.plan.sequence)
    return encode(result)
