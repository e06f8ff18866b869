"""Owns how tests add their own strategy files to the strategies package."""

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
    """Add a folder to the strategies package, and yield a function that writes a module there."""
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
