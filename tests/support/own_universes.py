"""Owns how tests put symbol lists of their own in place of those that ship."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from algotrader.adapters import universes

WriteUniverse = Callable[[str, str], None]


def own_universes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> WriteUniverse:
    """Let a folder be that of the lists; return what writes a list, by its name."""
    monkeypatch.setattr(universes, "FOLDER", folder)

    def write(name: str, text: str) -> None:
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")

    return write
