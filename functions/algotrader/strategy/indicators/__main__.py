"""Owns docs/indicators.md, which ``python -m algotrader.strategy.indicators`` prints."""

from __future__ import annotations

import sys

from algotrader.strategy.indicators import CLASSES, NAMES, resolve
from algotrader.strategy.indicators.entries import Parameter, TaClass

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

- On-balance volume, the parabolic SAR and Aroon are the published definitions, which `ta` computes
  differently ([why](decisions/0057-an-indicator-s-name-means-its-published-definition.md)). A name
  that starts with `ta_` is `ta`'s own value of them. `ta` computes all others.
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

`PYTHONPATH=functions python -m algotrader.strategy.indicators` writes this page.
"""


def page() -> str:
    """Format docs/indicators.md."""
    groups = dict.fromkeys(each.group for each in CLASSES)
    return "\n".join([_HEAD, *(_section(group) for group in groups)])


def _section(group: str) -> str:
    rows = [
        f"| `{output}` | {_other_names(output)} | {_parameters(each)} | {_bars(each, output)} |"
        for each in CLASSES
        if each.group == group
        for output in each.outputs
    ]
    head = ["| Name | Also | Parameters | Bars |", "|---|---|---|---:|"]
    return "\n".join([f"## {group}", "", *head, *rows, ""])


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
