"""Owns the Fetch Bars step's handler."""

from __future__ import annotations

import gc

gc.disable()  # a collection while modules load frees nothing and takes a tenth of the time

import os
from typing import Any

from aws_lambda_powertools import Logger

from algotrader.adapters.aws import make_clients_early
from algotrader.adapters.store import Store
from algotrader.contracts import FetchBarsEvent, decode_event, encode
from fetch_bars.fetch import fetch

logger = Logger(service="fetch_bars")
make_clients_early("s3", "ssm")
gc.enable()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], _context: object) -> Any:
    """Open the run and gather everything that it needs from the broker."""
    request = decode_event(FetchBarsEvent, event, "the input of Fetch Bars")
    logger.append_keys(execution=request.execution_arn)
    result = fetch(request, os.environ, Store(os.environ["BUCKET"]))
    if result.run is not None:
        logger.append_keys(run_id=result.run.run_id)
    logger.info("Fetch ended", outcome=result.outcome, text=result.message)
    return encode(result)
