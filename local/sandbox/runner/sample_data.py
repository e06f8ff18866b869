"""Owns how a local desk uses the sample data: its benchmark and its synthetic symbols."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from algotrader.adapters.universes import MARK, SUFFIX
from local.paper_broker.data import FUND, synthetic_symbol
from local.sandbox.aws.embedded import FUNCTIONS

SYNTHETIC_LIST = "synthetic"


def local_defaults(synthetic: int) -> dict[str, str]:
    """Return the parameters whose defaults differ from the template's on the sample data.

    The data lack SPY, so the fund of the sample stocks is the benchmark. If there are synthetic
    symbols, the desk trades those.
    """
    symbols = {"Symbols": f"{MARK}{SYNTHETIC_LIST}"} if synthetic else {}
    return {"Benchmark": FUND.symbol} | symbols


@contextmanager
def functions_with_list(synthetic: int) -> Iterator[Path]:
    """Yield an import root of the functions that includes the list ``@synthetic``."""
    if not synthetic:
        yield FUNCTIONS
        return
    with TemporaryDirectory(prefix="algo-trader-functions-") as folder:
        functions = Path(folder, FUNCTIONS.name)
        shutil.copytree(FUNCTIONS, functions)
        names = [f"{synthetic_symbol(number)}\n" for number in range(1, synthetic + 1)]
        path = functions / "universes" / f"{SYNTHETIC_LIST}{SUFFIX}"
        path.write_text("".join(names), encoding="utf-8")
        yield functions
