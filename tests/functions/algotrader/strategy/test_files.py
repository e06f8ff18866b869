"""A strategy's test can pass files to it, and each file is loaded once."""

from __future__ import annotations

from typing import BinaryIO

import pytest

from algotrader.strategy import Files


def test_files_of_a_test_are_bytes_by_name() -> None:
    files = Files({"a": b"1", "b": b"2"})
    assert dict(files) == {"a": b"1", "b": b"2"}
    assert len(files) == 2
    assert files.get("c") is None
    with pytest.raises(KeyError):
        files["c"]


def test_a_file_is_loaded_once_whichever_loader_asks_again() -> None:
    calls = []

    def loader(file: BinaryIO) -> list[bytes]:
        calls.append(1)
        return [file.read()]

    files = Files({"a": b"1", "b": b"2"})
    assert files.load("a", loader) == [b"1"]
    assert files.load("b", loader) == [b"2"]
    assert files.load("a", bytes_of) is files.load("a", loader)
    assert len(calls) == 2


def test_a_loader_that_fails_is_asked_again() -> None:
    files = Files({"a": b"1"})
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            files.load("a", lambda _: 1 // 0)
    assert files.load("a", bytes_of) == b"1"


def bytes_of(file: BinaryIO) -> bytes:
    return file.read()
