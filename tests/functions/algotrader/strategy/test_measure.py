"""The page's command measures the features of any strategy."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.measure_features import measure


def test_the_time_for_each_number_of_symbols_and_the_memory_are_printed(tmp_path: Path) -> None:
    *times, memory = measure("sma_cross", tmp_path, (1, 2))
    assert [re.sub(r"[0-9.]+ s$", "T", line) for line in times] == [
        "1 symbols: T",
        "2 symbols: T",
    ]
    assert re.fullmatch(r"peak memory of the process: \d+ MiB", memory)
