"""Owns the Notify step's handler."""

from __future__ import annotations

import gc

gc.disable()  # a collection while modules load frees nothing and takes a tenth of the time

import os
from typing import Any

from aws_lambda_powertools import Logger

from algotrader.adapters.aws import make_clients_early
from algotrader.adapters.sns_notifier import SnsNotifier
from algotrader.adapters.store import Store
from algotrader.contracts import encode
from notify.event import read_event
from notify.report import report

logger = Logger(service="notify")
make_clients_early("s3", "sns")
gc.enable()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], _context: object) -> Any:
    """Write the record, end the claim, and send the text message and the e-mail."""
    request, unread = read_event(event)
    logger.append_keys(run_id=None if request.run is None else request.run.run_id)
    store = Store(os.environ["BUCKET"])
    channels = (SnsNotifier(os.environ["TOPIC_ARN"]),)
    result = report(request, store, channels, logger.warning, unread)
    logger.info("Texts published", subject=result.subject, error=result.error)
    return encode(result)
