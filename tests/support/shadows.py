"""Owns strategies that nobody would trade with: as a shadow each of them must harm nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import strategies

ONE = """
from decimal import Decimal
from algotrader.strategy import Indicator, Strategy

class One(Strategy):
    def target_weights(self, market, portfolio):
        {}
"""

SOUND = {
    "one_symbol": ONE.format('return {"AAPL": Decimal("0.3")}'),
}

MEDDLE = """
import decimal
from algotrader import decision, limits, sizing, submission

decimal.DefaultContext.prec = 3
sizing.MONEY.prec = 2
submission.first_plan = limits.trading_state = decision.decide = print
print("it prints", flush=True)
"""

# Those that load and compute, and then do not decide; and what is told of it.
UNDECIDED = {
    "raises": (ONE.format("raise RuntimeError('no idea')"), "STRATEGY_FAILED"),
    "nonsense": (ONE.format('return ["AAPL"]'), "WEIGHTS_INVALID"),
    "nan": (ONE.format('return {"AAPL": float("nan")}'), "WEIGHT_INVALID"),
    "says_exit": (ONE.format("raise SystemExit(0)"), "STRATEGY_FAILED"),
    "interrupts": (ONE.format("raise KeyboardInterrupt"), "its process ended with status"),
    "ends": (ONE.format("import os; os._exit(0)"), "its process ended with status 0"),
    "hangs": (ONE.format("while True: pass"), "it took longer than"),
    # It does to the modules of its process what would spoil every later decision in it.
    "meddles": (ONE.format('return {"AAPL": Decimal("0.3")}') + MEDDLE, "InvalidOperation"),
}

# Those that load, and whose features come to nothing.
FEATURELESS = {
    name: (source.replace("target_weights(self, market, portfolio)", "features(self, bars, files)"))
    + "\n    def target_weights(self, market, portfolio):\n        return {}\n"
    for name, (source, _) in {
        f"{name}_on_bars": case
        for name, case in UNDECIDED.items()
        if name not in {"interrupts", "meddles"}
    }.items()
}

# Those that do not even load.
UNLOADED = {
    "no_python": ("class Broken(", "STRATEGY_BROKEN"),
    "exits_at_import": ("raise SystemExit(1)", "STRATEGY_BROKEN"),
    "ends_at_import": ("import os\nos._exit(7)", "its process ended with status 7"),
    "no_such_indicator": (
        ONE.format("return {}") + '    indicators = {"x": Indicator("rsii")}\n',
        "INDICATOR_UNKNOWN",
    ),
    "no_strategy": ("", "STRATEGY_BROKEN"),
}


@pytest.fixture
def shadows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a process of its own find these strategies beside those that ship; this one does not."""
    folder = tmp_path / "strategies"
    shutil.copytree(Path(strategies.__path__[0]), folder)
    sources = SOUND | FEATURELESS
    sources |= {name: source for name, (source, _) in (UNDECIDED | UNLOADED).items()}
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
