"""Owns the measurement of a strategy's features: the time for 4 and 100 symbols, and the memory.

``PYTHONPATH=functions:. .venv/bin/python -m tests.support.measure_features forest strategy-files``
"""

from __future__ import annotations

import resource
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from datetime import time as time_of_day
from pathlib import Path

from algotrader.adapters.indicators import compute
from algotrader.model import Bars
from algotrader.session.trigger import NEW_YORK
from algotrader.strategy import Files, load_strategy
from local.paper_broker.data.computed import sample_history, synthetic_symbol

SIZES = (4, 100)
MIDNIGHT = time_of_day()


def measure(name: str, folder: Path, sizes: Sequence[int] = SIZES) -> Iterator[str]:
    """Compute a strategy's features as Compute Indicators does, and yield a line per figure."""
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for count in sizes:
        strategy = load_strategy(name, {})
        bars = _bars(count, strategy.bars_needed())
        began = time.perf_counter()
        compute(bars, strategy, Files(contents))
        yield f"{count} symbols: {time.perf_counter() - began:.2f} s"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"peak memory of the process: {peak:.0f} MiB"


def _bars(count: int, length: int) -> dict[str, Bars]:
    history = sample_history(count)
    found = {}
    for symbol in map(synthetic_symbol, range(1, count + 1)):
        newest = history.bars[symbol][-length:]
        at = tuple(datetime.combine(each.session, MIDNIGHT, NEW_YORK) for each in newest)
        prices = zip(*((float(value) for value in each[1:]) for each in newest), strict=True)
        found[symbol] = Bars("1Day", at, *(array("d", each) for each in prices))
    return found


if __name__ == "__main__":
    for line in measure(sys.argv[1], Path(sys.argv[2])):
        print(line)  # noqa: T201 - a command
