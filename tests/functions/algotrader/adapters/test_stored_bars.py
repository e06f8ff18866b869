"""Bars travel inline or as one object, and a step refuses an object that it cannot use."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from algotrader.adapters.aws import client
from algotrader.adapters.store import Store
from algotrader.adapters.stored_bars import get_bars, pack, put_bars, unpack
from algotrader.contracts import Artifact
from algotrader.errors import InvalidInputError
from algotrader.model import Bars
from tests.functions.algotrader.adapters.test_store import RUN
from tests.support.in_process_aws import in_process_aws

OPEN = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
INSTANTS = tuple(OPEN + timedelta(days=number) for number in range(300))


def bars_at(at: tuple[datetime, ...], first: float) -> Bars:
    """Return columns that all differ, with values that need every digit of a float."""
    columns = (array("d", [first + 0.1 * (n + row) for n in range(len(at))]) for row in range(5))
    return Bars("1Day", at, *columns)


def some(symbols: int, bars: int = 300) -> dict[str, Bars]:
    """Return symbols, with one that has few bars and one that has a gap."""
    found = {f"S{number}": bars_at(INSTANTS[-bars:], 1 / 3 + number) for number in range(symbols)}
    found["YOUNG"] = bars_at(INSTANTS[-2:], 7.7)
    found["GAP"] = bars_at((*INSTANTS[:1], *INSTANTS[2:bars]), 8.8)
    return found


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with in_process_aws():
        client("s3").create_bucket(Bucket="desk")
        yield Store("desk")


def test_few_bars_travel_inline_with_every_digit(store: Store) -> None:
    bars = some(2, bars=20)

    artifact = put_bars(store, RUN, bars)

    assert not artifact.s3
    assert get_bars(store, artifact) == bars


def test_many_bars_travel_as_one_object_with_every_digit(store: Store) -> None:
    bars = some(10)

    artifact = put_bars(store, RUN, bars)

    assert str(artifact.s3).startswith(f"s3://desk/{RUN.journal}states/bars-")
    assert str(artifact.s3).endswith(".npz")
    assert get_bars(store, artifact) == bars


def test_bars_too_large_as_text_become_an_object_too(store: Store) -> None:
    bars = {"S": bars_at(INSTANTS, 1 / 3)}

    assert put_bars(store, RUN, bars).s3


def test_the_same_bars_give_the_same_object() -> None:
    assert pack(some(3)) == pack(some(3))
    assert pack(some(3)) != pack(some(4))


def test_symbols_with_bars_at_the_same_instants_share_them() -> None:
    found = unpack(pack(some(3)))

    assert found["S0"].at is found["S2"].at


def test_an_altered_object_is_refused(store: Store) -> None:
    artifact = put_bars(store, RUN, some(10))
    key = str(artifact.s3).removeprefix("s3://desk/")
    client("s3").put_object(Bucket="desk", Key=key, Body=pack(some(9)))

    with pytest.raises(InvalidInputError, match=r"ARTIFACT_INVALID.*different hash"):
        get_bars(store, artifact)


def packed(**changes: Any) -> bytes:
    """Pack two bars of A and one of B, with changed arrays; None removes an array."""
    arrays = {
        "symbols": np.array(["A", "B"]),
        "lengths": np.array([2, 1]),
        "at": np.array([1, 2, 1]) * 86_400_000_000,
        "figures": np.ones((5, 3)),
    }
    content = BytesIO()
    wanted = {name: each for name, each in (arrays | changes).items() if each is not None}
    np.savez(content, **wanted)
    return content.getvalue()


def test_the_arrays_of_these_tests_are_bars_as_they_are() -> None:
    assert [len(each) for each in unpack(packed()).values()] == [2, 1]


WRONG: dict[str, Callable[[], bytes]] = {
    "not an object of numpy": lambda: b'{"AAPL": []}',
    "empty": lambda: b"",
    "cut off": lambda: packed()[:-100],
    "without an array": lambda: packed(at=None),
    "with another array": lambda: packed(more=np.ones(1)),
    "with objects of Python": lambda: packed(symbols=np.array(["A", object()])),
    "with numbers as symbols": lambda: packed(symbols=np.array([1, 2])),
    "with whole numbers as figures": lambda: packed(figures=np.ones((5, 3), "i8")),
    "with fewer bytes a figure": lambda: packed(figures=np.ones((5, 3), "f4")),
    "with one dimension of figures": lambda: packed(figures=np.ones(15)),
    "with four columns": lambda: packed(figures=np.ones((4, 3))),
    "with a symbol twice": lambda: packed(symbols=np.array(["A", "A"])),
    "with more symbols than lengths": lambda: packed(symbols=np.array(["A", "B", "C"])),
    "with more bars than lengths say": lambda: packed(lengths=np.array([1, 1])),
    "with a negative length": lambda: packed(lengths=np.array([4, -1])),
    "with NaN": lambda: packed(figures=np.full((5, 3), np.nan)),
    "with infinity": lambda: packed(figures=np.full((5, 3), np.inf)),
    "with an instant beyond all years": lambda: packed(at=np.full(3, 2**62)),
    "with an instant of the year 1900": lambda: packed(at=np.full(3, -(2**51))),
    "with a symbol that is not text": lambda: packed(symbols=np.array(["A", "\ud800"])),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_object_that_no_step_can_use_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInputError, match="STATE_INVALID: what=bars"):
        unpack(WRONG[wrong]())


def test_inline_figures_must_be_numbers(store: Store) -> None:
    artifact = put_bars(store, RUN, some(1, bars=3))
    artifact.inline["S0"]["close"][1] = "1.5"

    with pytest.raises(InvalidInputError, match=r"STATE_INVALID.*close"):
        get_bars(store, artifact)


def test_an_artifact_names_the_bytes_that_are_stored(store: Store) -> None:
    bars = some(10)

    assert put_bars(store, RUN, bars).sha256 == sha256(pack(bars)).hexdigest()


def test_an_artifact_of_neither_form_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInputError, match="ARTIFACT_INVALID"):
        get_bars(store, Artifact())
