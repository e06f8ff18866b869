"""Owns the symbol lists that ship with Fetch Bars, as text files in functions/universes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from algotrader.errors import ConfigurationError
from algotrader.orders.ids import SYMBOL_PATTERN
from algotrader.suggestions import did_you_mean

FOLDER = Path(__file__).resolve().parents[2] / "universes"
SUFFIX = ".txt"

#: The first character of a word that names a list.
MARK = "@"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9_]{0,63}")

#: Compute Indicators has time and memory for this many symbols.
MAX_SYMBOLS = 500

_QUOTED_LENGTH = 40


class Symbols(Struct, frozen=True):
    """A template parameter's symbols, with each list replaced by its symbols.

    Attributes
    ----------
    names : tuple of str
        The symbols, without repeats, in their order.
    universes : dict of str to str
        SHA-256 of each list that was read, by its name.
    """

    names: tuple[str, ...]
    universes: dict[str, str]


def read_symbols(parameter: str, words: Iterable[str]) -> Symbols:
    """Replace the names of lists with their symbols.

    Parameters
    ----------
    parameter : str
        The template parameter that contains the words.
    words : iterable of str
        Symbols, and names of lists such as ``@liquid``.

    Raises
    ------
    ConfigurationError
        ``UNIVERSE_UNKNOWN``, ``UNIVERSE_EMPTY``, ``UNIVERSE_INVALID`` or ``SYMBOLS_TOO_MANY``.
    """
    found: dict[str, None] = {}
    universes: dict[str, str] = {}
    for word in words:
        if not word.startswith(MARK):
            found[word] = None
            continue
        name = word.removeprefix(MARK)
        content = _read(parameter, name)
        found |= dict.fromkeys(_parse(name, content))
        universes[name] = hashlib.sha256(content).hexdigest()
    if len(found) > MAX_SYMBOLS:
        raise ConfigurationError(
            "SYMBOLS_TOO_MANY",
            f"Deploy again with at most {MAX_SYMBOLS} symbols in {parameter}, including those of "
            "its lists.",
            parameter=parameter,
            count=len(found),
        )
    return Symbols(names=tuple(found), universes=universes)


def _read(parameter: str, name: str) -> bytes:
    """Read a list, which must be a file directly in the folder."""
    files = {path.stem: path for path in FOLDER.glob(f"*{SUFFIX}") if path.is_file()}
    known = sorted(filter(NAME_PATTERN.fullmatch, files))
    if name not in known:
        raise ConfigurationError(
            "UNIVERSE_UNKNOWN",
            f"Deploy again with {parameter} set to a list in functions/universes"
            f"{did_you_mean(name, known)}; the lists are: {', '.join(known)}.",
            parameter=parameter,
            universe=repr(name[:_QUOTED_LENGTH]),
        )
    return files[name].read_bytes()


def _parse(name: str, content: bytes) -> tuple[str, ...]:
    found: dict[str, None] = {}
    text = content.decode("utf-8-sig", errors="replace")
    for number, line in enumerate(text.split("\n"), start=1):
        symbol = line.partition("#")[0].strip()
        if not symbol:
            continue
        if symbol in found or not SYMBOL_PATTERN.fullmatch(symbol):
            raise ConfigurationError(
                "UNIVERSE_INVALID",
                f"Fix functions/universes/{name}{SUFFIX} and deploy again: one symbol in capitals "
                "a line, without repeats; # begins a comment.",
                universe=name,
                line=number,
                text=repr(symbol[:_QUOTED_LENGTH]),
            )
        found[symbol] = None
    if not found:
        raise ConfigurationError(
            "UNIVERSE_EMPTY",
            f"Write at least one symbol into functions/universes/{name}{SUFFIX} and deploy again.",
            universe=name,
        )
    return tuple(found)
