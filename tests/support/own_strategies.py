"""Owns how tests put strategy files of their own next to those that ship."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Write = Callable[[str, str], None]


@contextmanager
def own_strategies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Let a folder be part of the strategies package; gives what writes a file, by its module."""
    package = importlib.import_module("strategies")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(module: str, text: str) -> None:
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()

    yield write
    for each in set(sys.modules) - before:
        if each.startswith("strategies."):
            del sys.modules[each]
