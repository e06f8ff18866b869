"""How far the catalog's values are from TA-Lib's, and our own from those of `ta`, on real bars.

``PYTHONPATH=functions:. .venv/bin/python -m tests.support.indicator_deviations`` writes
functions/algotrader/strategy/indicators/deviations.py, from which docs/indicators.md takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import talib

from algotrader.adapters.indicators import IndicatorSeries
from algotrader.indicators import BarArrays
from algotrader.strategy.indicators import OUTPUTS, ResolvedIndicator, resolve
from algotrader.strategy.indicators.entries import TA_PREFIX
from algotrader.strategy.indicators.facts import Deviation
from local.paper_broker.data.history import load
from tests.support.checkout import CHECKOUT

SYMBOLS = ("AAPL", "MSFT")
BARS = 3000
SAME = 1e-6  # of the indicator's mean size

#: Outputs for which `ta` writes zeros before the first value.
ZEROS_BEFORE = {"ta_adx", "ta_adx_pos", "ta_adx_neg"}
FILE = CHECKOUT / "functions/algotrader/strategy/indicators/deviations.py"

Line = np.ndarray[Any, np.dtype[np.float64]]


class TaLib:
    """A call to TA-Lib: a function, the columns by their first letters, and its parameters.

    ``part`` is the index of the line among those that the function returns.
    """

    def __init__(
        self, name: str, columns: str, *parameters: float, part: int | None = None, scale: float = 1
    ) -> None:
        self.name, self.columns, self.parameters = name, columns, parameters
        self.part, self.scale = part, scale

    def __call__(self, symbol: str) -> Line:
        bars = bars_of(symbol)
        by_letter = {"h": bars.high, "l": bars.low, "c": bars.close, "v": bars.volume}
        columns = (np.ascontiguousarray(by_letter[each][:, 0]) for each in self.columns)
        found = getattr(talib, self.name)(*columns, *self.parameters)
        line: Line = found if self.part is None else found[self.part]
        return line * self.scale


#: By output: its counterpart in TA-Lib, with the default parameters of `ta`.
TA_LIB: dict[str, TaLib] = {
    "rsi": TaLib("RSI", "c", 14),
    "tsi": TaLib("TSI", "c", 25, 13),
    "ultimate_oscillator": TaLib("ULTOSC", "hlc", 7, 14, 28),
    "stoch": TaLib("STOCHF", "hlc", 14, 3, part=0),
    "stoch_signal": TaLib("STOCHF", "hlc", 14, 3, part=1),
    "kama": TaLib("KAMA", "c", 10),
    "roc": TaLib("ROC", "c", 12),
    "awesome_oscillator": TaLib("AO", "hl", 5, 34),
    "williams_r": TaLib("WILLR", "hlc", 14),
    "stochrsi": TaLib("STOCHRSI", "c", 14, 14, 3, part=0, scale=0.01),
    "stochrsi_k": TaLib("STOCHRSI", "c", 14, 14, 3, part=1, scale=0.01),
    "ppo": TaLib("PPO", "c", 12, 26, 1),
    "pvo": TaLib("PPO", "v", 12, 26, 1),
    "average_true_range": TaLib("ATR", "hlc", 14),
    "bollinger_hband": TaLib("BBANDS", "c", 20, 2, 2, part=0),
    "bollinger_mavg": TaLib("BBANDS", "c", 20, 2, 2, part=1),
    "bollinger_lband": TaLib("BBANDS", "c", 20, 2, 2, part=2),
    "donchian_channel_hband": TaLib("DONCHIAN", "hl", 20, part=0),
    "donchian_channel_mband": TaLib("DONCHIAN", "hl", 20, part=1),
    "donchian_channel_lband": TaLib("DONCHIAN", "hl", 20, part=2),
    "keltner_channel_hband": TaLib("KC", "hlc", 20, 10, 2, part=0),
    "keltner_channel_mband": TaLib("KC", "hlc", 20, 10, 2, part=1),
    "keltner_channel_lband": TaLib("KC", "hlc", 20, 10, 2, part=2),
    "aroon_down": TaLib("AROON", "hl", 25, part=0),
    "aroon_up": TaLib("AROON", "hl", 25, part=1),
    "aroon_indicator": TaLib("AROONOSC", "hl", 25),
    "macd": TaLib("MACD", "c", 12, 26, 9, part=0),
    "macd_signal": TaLib("MACD", "c", 12, 26, 9, part=1),
    "macd_diff": TaLib("MACD", "c", 12, 26, 9, part=2),
    "ema_indicator": TaLib("EMA", "c", 14),
    "sma_indicator": TaLib("SMA", "c", 20),
    "wma": TaLib("WMA", "c", 9),
    "trix": TaLib("TRIX", "c", 15),
    "mass_index": TaLib("MASSI", "hl", 9, 25),
    "ichimoku_conversion_line": TaLib("MIDPRICE", "hl", 9),
    "ichimoku_base_line": TaLib("MIDPRICE", "hl", 26),
    "ichimoku_b": TaLib("MIDPRICE", "hl", 52),
    "dpo": TaLib("DPO", "c", 20),
    "cci": TaLib("CCI", "hlc", 20),
    "adx": TaLib("ADX", "hlc", 14),
    "adx_pos": TaLib("PLUS_DI", "hlc", 14),
    "adx_neg": TaLib("MINUS_DI", "hlc", 14),
    "vortex_indicator_pos": TaLib("VORTEX", "hlc", 14, part=0),
    "vortex_indicator_neg": TaLib("VORTEX", "hlc", 14, part=1),
    "psar": TaLib("SAR", "hl", 0.02, 0.2),
    "acc_dist_index": TaLib("AD", "hlcv"),
    "on_balance_volume": TaLib("OBV", "cv"),
    "chaikin_money_flow": TaLib("CMF", "hlcv", 20),
    "force_index": TaLib("EFI", "cv", 13),
    "volume_price_trend": TaLib("PVT", "cv"),
    "negative_volume_index": TaLib("NVI", "cv"),
    "money_flow_index": TaLib("MFI", "hlcv", 14),
    "daily_return": TaLib("ROC", "c", 1),
}


@cache
def bars_of(symbol: str) -> BarArrays:
    rows = load().bars[symbol][-BARS:]
    return BarArrays(
        *(
            np.array([[float(getattr(each, name))] for each in rows])
            for name in ("high", "low", "close", "volume")
        )
    )


@cache
def values_of(symbol: str) -> dict[str, Line]:
    """Compute every output on a symbol's newest bars."""
    series = IndicatorSeries(bars_of(symbol))
    return {output: series.of(resolved(output))[:, 0] for output in OUTPUTS}


def resolved(output: str) -> ResolvedIndicator:
    return resolve(output, {"window": 20} if output == "sma_indicator" else {})


def first_of(output: str, values: Line) -> int:
    """Return the index of the first value; `ta` puts zeros before some."""
    there = np.isfinite(values)
    if output in ZEROS_BEFORE:
        there &= values != 0
    return int(np.flatnonzero(there)[0])


def compare(output: str, name: str, other: Callable[[str], Line]) -> Deviation:
    """Compare an output, after its warm-up, with other values."""
    count, largest, first = 0, 0.0, 0
    for symbol in SYMBOLS:
        theirs = other(symbol)
        first = first_of(name, theirs)
        after = max(resolved(output).warm_up, first)
        ours, theirs = values_of(symbol)[output][after:], theirs[after:]
        deviations = np.abs(ours - theirs) / np.abs(theirs).mean()
        assert np.isfinite(deviations).all(), (output, symbol)
        count += int((deviations > SAME).sum())
        largest = max(largest, float(deviations.max()))
    return Deviation(name, first, count, float(f"{largest:.1g}") if count else 0.0)


def from_ta(output: str) -> Deviation:
    name = TA_PREFIX + output
    return compare(output, name, lambda symbol: values_of(symbol)[name])


def from_ta_lib(output: str) -> Deviation:
    call = TA_LIB[output]
    return compare(output, call.name, call)


def lines() -> Iterator[str]:
    """Format the module."""
    yield '"""Owns what tests/support/indicator_deviations.py measured and wrote here."""\n'
    yield "from __future__ import annotations\n"
    yield "from algotrader.strategy.indicators.facts import deviations\n"
    yield "#: Index of the first value of each output, with the default parameters."
    yield "FIRST: dict[str, int] = {"
    for output in OUTPUTS:
        yield f'    "{output}": {first_of(output, values_of(SYMBOLS[0])[output])},'
    yield "}\n"
    yield "#: By output that we define: how far it is from the value of `ta`."
    ours = [each for each, entry in OUTPUTS.items() if entry.own]
    yield from _table("FROM_TA", {each: from_ta(each) for each in ours})
    yield ""
    yield "#: By output that TA-Lib has as well: how far it is from the value there."
    yield from _table("FROM_TA_LIB", {each: from_ta_lib(each) for each in TA_LIB})


def _table(name: str, found: dict[str, Deviation]) -> Iterator[str]:
    yield f'{name} = deviations("""'
    for output, deviation in found.items():
        yield " ".join((output, *map(str, deviation)))
    yield '""")'


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
