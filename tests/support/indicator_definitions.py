"""What every indicator is on fixed bars, for each version of the definitions.

``PYTHONPATH=functions:. .venv/bin/python -m tests.support.indicator_definitions`` writes the file
of a new version. It never overwrites one.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np

from algotrader.adapters.indicators import IndicatorSeries
from algotrader.indicators import DEFINITIONS_VERSION, BarArrays
from algotrader.strategy.indicators import OUTPUTS, resolve
from local.paper_broker.data.history import load

FOLDER = Path(__file__).parents[1] / "functions/algotrader/indicators"
BARS = 500


def file_of(version: int) -> Path:
    return FOLDER / f"definitions_{version}.json"


def fixed_bars() -> dict[str, BarArrays]:
    """Return real bars that end in a rise, a fall and a touch, and some that end in a halt."""
    bars = {}
    for symbol, end in (("AAPL", 1710), ("IBM", 2500), ("MSFT", 1850), ("MSFT", 3265)):
        rows = load().bars[symbol][end - BARS : end]
        bars[f"{symbol} {rows[-1].session}"] = BarArrays(
            *(
                np.array([[float(getattr(each, name))] for each in rows])
                for name in ("high", "low", "close", "volume")
            )
        )
    halted = bars[f"MSFT {load().bars['MSFT'][3264].session}"]
    prices = [each.copy() for each in (halted.high, halted.low, halted.close)]
    for each in prices:
        each[-60:] = prices[2][-61]
    bars["halted"] = BarArrays(*prices, halted.volume)
    return bars


@cache
def values_now() -> dict[str, list[float]]:
    """Compute the last and the previous value of every output on each of the bars, or NaN."""
    series = [IndicatorSeries(bars) for bars in fixed_bars().values()]
    found = {}
    for output in OUTPUTS:
        wanted = resolve(output, {"window": 20} if output == "sma_indicator" else {})
        found[output] = [value for each in series for value in each.of(wanted)[:-3:-1, 0].tolist()]
    return found


def values_of(version: int) -> dict[str, list[float]]:
    """Read the values of a version."""
    stored = json.loads(file_of(version).read_text(encoding="utf-8"))
    return {
        output: [math.nan if value is None else value for value in values]
        for output, values in stored.items()
    }


def write(version: int) -> None:
    """Write the values of a new version, one output per line; null stands for NaN."""
    lines = [
        json.dumps(output)
        + ": "
        + json.dumps([value if math.isfinite(value) else None for value in values])
        for output, values in values_now().items()
    ]
    with file_of(version).open("x", encoding="utf-8") as file:
        file.write("{\n " + ",\n ".join(lines) + "\n}\n")


if __name__ == "__main__":
    write(DEFINITIONS_VERSION)
