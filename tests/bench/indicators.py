"""Owns the section `indicators`: from bars to rounded features, next to TA-Lib and `ta`.

``PYTHONPATH=functions:. .venv/bin/python -m tests.bench.indicators`` prints the figures as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import talib
from msgspec.structs import replace

from algotrader.adapters.aws import clients_from
from algotrader.adapters.indicators import IndicatorSeries, compute_indicators
from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import put_bars
from algotrader.adapters.ta_indicators import TaIndicators
from algotrader.contracts import Artifact, ComputeIndicatorsEvent, encode
from algotrader.indicators import BarArrays
from algotrader.model import Bars, Run, TradingMode
from algotrader.strategy.indicators import OUTPUTS, ResolvedIndicator, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX
from compute_indicators.app import lambda_handler
from tests.bench.common_indicators import CommonIndicators
from tests.bench.section import Rows, Section, Table, in_fresh_process
from tests.support.checkout import CHECKOUT
from tests.support.lambda_context import LambdaContext
from tests.support.memory_aws import MemoryAws
from tests.support.settings import SETTINGS

SYMBOLS, BARS = 500, 300
REPETITIONS = 15
BUCKET = "bench"
STRATEGY = "common_indicators"
#: The longest time, as a multiple of TA-Lib's, and the smallest speed-up over `ta`.
OF_TA_LIB, FASTER_THAN_TA = 2.0, 300

Column = np.ndarray[Any, np.dtype[np.float64]]

#: TA-Lib's function of each indicator, from high, low and close.
TA_LIB: Mapping[str, Callable[[Column, Column, Column], object]] = {
    "sma_indicator": lambda _high, _low, close: talib.SMA(close, 20),
    "ema_indicator": lambda _high, _low, close: talib.EMA(close, 14),
    "rsi": lambda _high, _low, close: talib.RSI(close, 14),
    "macd_diff": lambda _high, _low, close: talib.MACD(close, 12, 26, 9),
    "bollinger_hband": lambda _high, _low, close: talib.BBANDS(close, 20, 2, 2),
    "average_true_range": lambda high, low, close: talib.ATR(high, low, close, 14),
    "adx": lambda high, low, close: talib.ADX(high, low, close, 14),
    "stoch": lambda high, low, close: talib.STOCHF(high, low, close, 14, 3),
    "cci": lambda high, low, close: talib.CCI(high, low, close, 20),
    "kama": lambda _high, _low, close: talib.KAMA(close, 10),
    "psar": lambda high, low, _close: talib.SAR(high, low, 0.02, 0.2),
    "roc": lambda _high, _low, close: talib.ROC(close, 12),
}


def random_bars(symbols: int) -> BarArrays:
    """Return random walks in cents, the same ones each time."""
    rng = np.random.default_rng(1)
    shape = BARS, symbols
    close = 100 * np.exp(np.cumsum(rng.normal(0.0003, 0.02, shape), axis=0))
    high = close * np.exp(np.abs(rng.normal(0, 0.01, shape)))
    low = close / np.exp(np.abs(rng.normal(0, 0.01, shape)))
    volume = np.round(np.exp(rng.normal(15, 0.5, shape)))
    return BarArrays(*(np.round(each, 2) for each in (high, low, close)), volume)


def resolved() -> dict[str, ResolvedIndicator]:
    return {
        name: resolve(each.name, each.parameters)
        for name, each in CommonIndicators().indicators.items()
    }


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(count: int = SYMBOLS, repetitions: int = REPETITIONS) -> dict[str, float]:
    """Measure each computation several times in turn, and `ta` once.

    Returns
    -------
    dict
        Seconds of all indicators (``desk``), of each (``desk rsi``), and of the whole step.
    """
    bars, wanted = random_bars(count), resolved()
    symbols = [f"S{number:03}" for number in range(count)]
    columns = [
        tuple(np.ascontiguousarray(each[:, symbol]) for each in (bars.high, bars.low, bars.close))
        for symbol in range(count)
    ]
    works: dict[str, Callable[[], object]] = {
        "desk": lambda: compute_indicators(symbols, bars, wanted),
        "TA-Lib": lambda: [by_ta_lib(name, columns) for name in TA_LIB],
        **{f"desk {name}": partial(by_desk, bars, each) for name, each in wanted.items()},
        **{f"TA-Lib {name}": partial(by_ta_lib, name, columns) for name in TA_LIB},
        "step": step(symbols, bars),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repetitions):
        for name, work in works.items():
            times[name].append(seconds(work))
    found = {name: median(each) for name, each in times.items()}
    of_ta = TaIndicators(bars)
    found |= {f"ta {name}": seconds(partial(by_ta, of_ta, each)) for name, each in wanted.items()}
    found["ta"] = sum(found[f"ta {name}"] for name in wanted)
    return found


def by_desk(bars: BarArrays, wanted: ResolvedIndicator) -> None:
    IndicatorSeries(bars).newest(wanted, 2)


def by_ta_lib(name: str, columns: list[tuple[Column, Column, Column]]) -> None:
    for high, low, close in columns:
        TA_LIB[name](high, low, close)


def by_ta(of_ta: TaIndicators, wanted: ResolvedIndicator) -> None:
    name = TA_PREFIX + wanted.output if OUTPUTS[wanted.output].own else wanted.output
    of_ta.of(resolve(name, wanted.arguments))


def step(symbols: list[str], bars: BarArrays) -> Callable[[], object]:
    """Return a call of the handler with the bars in a bucket in memory."""
    aws = MemoryAws()
    start = datetime(2020, 1, 1, 14, 30, tzinfo=UTC)
    at = tuple(start + timedelta(days=day) for day in range(BARS))
    given = {
        symbol: Bars("1Day", at, *(array("d", each[:, place].tolist()) for each in prices))
        for place, symbol in enumerate(symbols)
        for prices in [(bars.close, bars.high, bars.low, bars.close, bars.volume)]
    }
    run = Run(
        run_id="2020-10-26-day",
        session=at[-1].date(),
        slot="day",
        desk="a1b2c3",
        mode=TradingMode.PAPER,
        execution_arn="arn:aws:states:us-east-1:123456789012:execution:desk:1",
        journal="runs/2020-10-26/2020-10-26-day/",
        sends_orders=True,
        entry_symbols=tuple(symbols),
        started_at=at[-1],
        deadline=at[-1],
    )
    settings = replace(SETTINGS, strategy=STRATEGY, strategy_parameters={}, symbols=tuple(symbols))
    with clients_from(aws.client):
        artifact = put_bars(Store(BUCKET), run, given)
    event = encode(ComputeIndicatorsEvent(run, Artifact(inline=encode(settings)), artifact))

    def handle() -> None:
        with clients_from(aws.client), deployment():
            lambda_handler(event, LambdaContext())

    return handle


@contextmanager
def deployment() -> Iterator[None]:
    """Set the step's variable, and add the strategy of the bench to the strategies package."""
    package = importlib.import_module("strategies")
    package.__path__.append(str(CHECKOUT / "tests" / "bench"))
    os.environ["BUCKET"] = BUCKET
    try:
        yield
    finally:
        del os.environ["BUCKET"]
        package.__path__.pop()


def rows(found: Mapping[str, float]) -> Iterator[Rows]:
    """Return the rows of both tables."""
    desk, ta_lib, of_ta = found["desk"], found["TA-Lib"], found["ta"]
    yield [
        ("TA-Lib", milliseconds(ta_lib), "", ""),
        ("desk, next to TA-Lib", milliseconds(desk), f"{desk / ta_lib:.2f}", f"{OF_TA_LIB}"),
        ("`ta`", milliseconds(of_ta), "", ""),
        ("desk, next to `ta`", milliseconds(desk), f"1/{of_ta / desk:.0f}", f"1/{FASTER_THAN_TA}"),
        ("desk, the whole step", milliseconds(found["step"]), "", ""),
    ]
    yield [
        (f"`{name}`", *(milliseconds(found[f"{who} {name}"]) for who in ("desk", "TA-Lib", "ta")))
        for name in TA_LIB
    ]


def milliseconds(time_of: float) -> str:
    return f"{1000 * time_of:,.1f}"


SECTION = Section(
    title="Indicators",
    about=(
        f"{SYMBOLS} symbols of {BARS} bars, random walks in cents, and twelve indicators. The time "
        f"is processor time in one warm process: the median of {REPETITIONS} calls in turn, and "
        "for `ta` one call. The desk's time runs from arrays to rounded features, with the check "
        "for 0/0. An indicator over a window looks at its two newest windows only. TA-Lib and `ta` "
        "compute the values of all bars, TA-Lib from columns that lie ready. The whole step is the "
        "handler of Compute Indicators with a bucket in memory. It reads and checks the bars, "
        "computes the features and stores them."
    ),
    tables=(
        Table(("Computation", "Time, ms", "Ratio", "Wanted")),
        Table(
            ("Indicator", "Desk, ms", "TA-Lib, ms", "`ta`, ms"),
            "Each indicator by itself, without rounding.",
        ),
    ),
    measure=lambda: list(rows(in_fresh_process("tests.bench.indicators"))),
)


if __name__ == "__main__":
    print(json.dumps(measure()))  # noqa: T201 - a command
