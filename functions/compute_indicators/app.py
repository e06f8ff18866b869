"""Owns the Compute Indicators step's handler."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from msgspec.structs import replace

from algotrader.adapters.indicators import compute
from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import get_bars
from algotrader.adapters.strategy_files import StrategyFiles
from algotrader.adapters.strategy_output import log_strategy_output
from algotrader.contracts import (
    ComputeIndicatorsEvent,
    ComputeIndicatorsResult,
    decode_event,
    encode,
)
from algotrader.model import Settings
from algotrader.strategy import load_strategy

logger = Logger(service="compute_indicators")


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], _context: Any) -> Any:
    """Compute the strategy's features from every symbol's bars."""
    request = decode_event(ComputeIndicatorsEvent, event, "the input of Compute Indicators")
    logger.append_keys(run_id=request.run.run_id)
    store = Store(os.environ["BUCKET"])
    settings = store.get(request.settings, Settings)
    with log_strategy_output(logger.info):
        strategy = load_strategy(settings.strategy, settings.strategy_parameters)
        bars = get_bars(store, request.bars)
        files = StrategyFiles(store.bucket, strategy.pins)
        files.check_pins()
        features = replace(compute(bars, strategy, files), files=files.hashes())
    result = ComputeIndicatorsResult(features=store.put(request.run, "features", features))
    logger.info(
        "Indicators computed",
        symbols=len(features.values),
        unfit=len(features.unfit),
        as_of=features.as_of,
    )
    return encode(result)
