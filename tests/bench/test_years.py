"""A session uses as much after years as after days; `make bench` has the long version."""

from __future__ import annotations

import pytest

from tests.bench.soak import PROCESSES, measure
from tests.bench.years import sessions

#: Fourteen sessions without a run, because a checkpoint stays ten days behind.
APART = 15
GROWTH = 1.02


def test_a_session_uses_no_more_for_every_run_and_every_order_before_it() -> None:
    *_, early, _, _, late = sessions(7, every=APART)
    assert early.orders == late.orders == 6
    for name in ("requests", "reads", "writes", "listings", "listed"):
        assert (name, getattr(late, name)) == (name, getattr(early, name))
    for name in ("received", "bytes"):
        assert getattr(late, name) < getattr(early, name) * GROWTH, name


@pytest.mark.runs
def test_the_soak_measures_every_process() -> None:
    rows = measure(count=3, window=1, settled=0)
    assert len(rows) == 1 + 2 * len(PROCESSES)
    assert all(float(cell) > 0 for row in rows for cell in row[1:])
