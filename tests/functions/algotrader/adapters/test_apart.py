"""Whatever is done apart, the caller lives on, unchanged, and hears what came of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from algotrader.adapters.apart import ApartError, apart
from tests.support import odd_work
from tests.support.odd_work import Pair

ENOUGH = 30.0


def test_values_cross_both_ways_as_they_are() -> None:
    pair = Pair(left=Decimal("0.10"), right=(0.1,))
    assert apart(odd_work.swap, pair, ENOUGH) == Pair(left=Decimal("0.1"), right=(0.1,))


@pytest.mark.parametrize(
    ("work", "given", "words"),
    [
        (odd_work.refuse, "x.py", "STRATEGY_BROKEN: file=x.py. Mend it."),
        (odd_work.crash, "boom", "RuntimeError: boom"),
        (odd_work.leave, "0", "SystemExit: 0"),
        (odd_work.drop_dead, "0", "its process ended with status 0"),
        (odd_work.drop_dead, "9", "its process ended with status 9"),
        (odd_work.lie, "5", "STATE_INVALID"),
    ],
)
def test_work_that_comes_to_nothing_says_why(
    work: Callable[[str], Any], given: str, words: str
) -> None:
    with pytest.raises(ApartError) as caught:
        apart(work, given, ENOUGH)
    assert str(caught.value).startswith(words)


def test_an_error_is_cut_to_what_a_state_may_carry() -> None:
    with pytest.raises(ApartError) as caught:
        apart(odd_work.crash, "x" * 10**6, ENOUGH)
    assert len(str(caught.value)) < 1000


def test_work_that_takes_too_long_is_ended_on_time() -> None:
    started = time.monotonic()
    with pytest.raises(ApartError, match="it took longer than 1 s"):
        apart(odd_work.sleep, 60.0, 1.0)
    assert time.monotonic() - started < 10


def test_work_is_not_begun_when_no_time_is_left() -> None:
    with pytest.raises(ApartError, match="no time was left"):
        apart(odd_work.sleep, 0.0, -1.0)


def test_what_it_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    apart(odd_work.leave_a_child_behind, str(tmp_path / "written"), ENOUGH)
    time.sleep(1.5)
    assert list(tmp_path.iterdir()) == []


def test_what_it_prints_is_no_part_of_its_answer(capfd: pytest.CaptureFixture[str]) -> None:
    assert apart(odd_work.chatter, "hello", ENOUGH) == "hello"
    told = capfd.readouterr()
    assert "hello" in told.err
    assert told.out == ""


def test_nothing_that_it_changes_is_changed_here() -> None:
    apart(odd_work.meddle, "x", ENOUGH)
    assert odd_work.state == {"changed": False}
    assert "MEDDLED" not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="Lambda is Linux; others do not hold the limit")
def test_it_gets_half_of_the_functions_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    assert apart(odd_work.take_memory, 100 * 2**20, ENOUGH) == 100 * 2**20
    with pytest.raises(ApartError, match="MemoryError"):
        apart(odd_work.take_memory, 300 * 2**20, ENOUGH)
