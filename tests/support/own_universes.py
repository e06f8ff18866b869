"""Owns how tests replace the symbol lists in functions/universes with their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from algotrader.adapters import universes

WriteUniverse = Callable[[str, str], None]


def own_universes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> WriteUniverse:
    """Read symbol lists from a folder, and return a function that writes a list there."""
    monkeypatch.setattr(universes, "FOLDER", folder)

    def write(name: str, text: str) -> None:
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")

    return write
