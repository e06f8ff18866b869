"""Owns docs/indicators.md, which ``python -m algotrader.strategy.indicators`` prints."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from algotrader.strategy.indicators import CLASSES, NAMES, OUTPUTS, resolve
from algotrader.strategy.indicators.deviations import FIRST, FROM_TA, FROM_TA_LIB
from algotrader.strategy.indicators.entries import Parameter, TaClass
from algotrader.strategy.indicators.facts import FACTS, Deviation

_HEAD = """\
# Indicators

This page lists every indicator of
[`ta`](https://technical-analysis-library-in-python.readthedocs.io/en/latest/ta.html) 0.11.0 by the
name of the method that returns it. Declare it in a strategy as

```text
Indicator("macd_diff", window_slow=26, window_fast=12, window_sign=9)
```

A parameter that you leave out keeps `ta`'s default, shown here; `window` of `sma_indicator` has
no default. You can also use `ta`'s other names for the same value. *Bars* is the number of bars
that a value needs with the defaults. It is exact for finite windows. For recursive averages it
counts the bars until the first bar's weight is negligible. For running totals it is a year, since
their level depends on the first bar ([why](decisions/0020-indicator-warm-up.md)). A run fetches the
largest number that any of the strategy's indicators needs, plus one.

What the values mean:

- On-balance volume, the parabolic SAR, Aroon, the money flow index and ADX are the published
  definitions, which `ta` computes differently
  ([why](decisions/0057-an-indicator-s-name-means-its-published-definition.md)). A name that starts
  with `ta_` is `ta`'s own value of them. All others have `ta`'s values, but for the last digits.
- The desk computes the common indicators for all symbols at once. These are the five above, SMA,
  EMA, MACD, KAMA, RSI, ROC, the stochastic, Williams %R, CCI, ATR, and the channels of Bollinger,
  Keltner and Donchian. `ta` computes the rest a symbol at a time, which takes far longer
  ([why](decisions/0057-an-indicator-s-name-means-its-published-definition.md)).
- If a formula divides zero by zero, the symbol is unfit (`INDICATOR_UNDEFINED`), and the other
  symbols are computed. For example, a price that never moved has no `rsi`, and a symbol without
  volume no `chaikin_money_flow`. Rounding makes no number out of 0/0
  ([how](decisions/0058-what-a-formula-does-not-define-is-undefined.md)).
- `psar` is the SAR after the bar: below the price in a rise, above it in a fall. `psar_up` is the
  SAR of the current rise or else of the last one, and `psar_down` that of the falls. Each is
  undefined if the bars have no such trend. `psar_up_indicator` is 1 on a bar that turned a fall
  into a rise, else 0. `psar_down_indicator` is 1 on a bar that turned a rise into a fall. A price
  that touches the SAR reverses it, so a price that does not move reverses it on every bar.
- `visual=True` shifts Ichimoku's spans forward by `window2` bars, as a chart draws them.
- Other names that end in `band_indicator` are flags: 1 if the close is beyond the band, else 0.

*First* is the index of the first value, counted from 0, with the defaults (`window=20` for
`sma_indicator`). It comes long before a recursive average has forgotten its start, so a run uses no
value before *Bars*.

`PYTHONPATH=functions python -m algotrader.strategy.indicators` writes this page.
"""

_DEFINITIONS = """\
## Definitions

Where each indicator begins, what equal prices and zeros count as, and who published it. `ta` begins
an exponential average with the first value, TA-Lib with the mean of the first window. What begins
differently agrees after *Bars*, as the next section shows.

| Names | Begins with | Ties and zeros | Source |
|---|---|---|---|
"""

_DEVIATIONS = """\
## Deviations

Each line compares two values after *Bars*, on the newest 3,000 sessions of AAPL and MSFT in the
sample data. *Differ* counts the bars, of both symbols together, on which they differ by more than a
millionth of the indicator's mean size. *Largest* is the largest difference, in mean sizes. The
command `PYTHONPATH=functions:. python -m tests.support.indicator_deviations` measures all of them.

From the values of `ta` 0.11.0, for those that are defined here:

"""

_TA_LIB = """\
From the values of TA-Lib 0.8.2. It does not compute the outputs that are not listed, or defines
them differently. `KC` is the Keltner channel of `original_version=False`:

"""

_HEAD_OF_DEVIATIONS = "| Name | Compared with | First | First there | Differ | Largest |"


def page() -> str:
    """Format docs/indicators.md."""
    groups = dict.fromkeys(each.group for each in CLASSES)
    sections = (_section(group) for group in groups)
    return "\n".join([_HEAD, *sections, _definitions(), _deviations()])


def _section(group: str) -> str:
    rows = [
        f"| `{output}` | {_other_names(output)} | {_parameters(each)} | {_bars(each, output)} "
        f"| {FIRST[output]} |"
        for each in CLASSES
        if each.group == group
        for output in each.outputs
    ]
    head = ["| Name | Also | Parameters | Bars | First |", "|---|---|---|---:|---:|"]
    return "\n".join([f"## {group}", "", *head, *rows, ""])


def _definitions() -> str:
    rows = [
        f"| {names} | {facts.seed} | {facts.ties} | {facts.source} |"
        for each in CLASSES
        for facts in [FACTS[each.name]]
        for names in [", ".join(f"`{output}`" for output in each.outputs)]
        if not names.startswith("`ta_")
    ]
    return _DEFINITIONS + "\n".join(rows) + "\n"


def _deviations() -> str:
    return f"{_DEVIATIONS}{_table(FROM_TA)}\n{_TA_LIB}{_table(FROM_TA_LIB)}"


def _table(deviations: Mapping[str, Deviation]) -> str:
    rows = [
        f"| `{output}` | `{each.name}` | {FIRST[output]} | {each.first} | {each.bars or 'none'} "
        f"| {f'{each.largest:g}' if each.bars else ''} |"
        for output in OUTPUTS
        if output in deviations
        for each in [deviations[output]]
    ]
    return "\n".join([_HEAD_OF_DEVIATIONS, "|---|---|---:|---:|---:|---:|", *rows, ""])


def _other_names(output: str) -> str:
    return ", ".join(f"`{name}`" for name, of in NAMES.items() if of == output and name != output)


def _parameters(ta_class: TaClass) -> str:
    return ", ".join(f"`{_parameter(each)}`" for each in ta_class.parameters)


def _parameter(parameter: Parameter) -> str:
    return parameter.name if parameter.required else f"{parameter.name}={parameter.default}"


def _bars(ta_class: TaClass, output: str) -> str:
    if any(each.required for each in ta_class.parameters):
        return "`window`"
    return str(resolve(output, {}).warm_up)


if __name__ == "__main__":
    sys.stdout.write(page())
