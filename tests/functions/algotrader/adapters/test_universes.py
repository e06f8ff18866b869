"""Symbols and DenySymbols select from the symbol lists in functions/universes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from algotrader.adapters.universes import FOLDER, MAX_SYMBOLS, Symbols, read_symbols
from algotrader.errors import ConfigurationError
from algotrader.orders.ids import SYMBOL_PATTERN
from tests.support.own_universes import WriteUniverse, own_universes


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteUniverse:
    return own_universes(tmp_path, monkeypatch)


def refused(*names: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read_symbols("Symbols", names)
    return caught.value


def test_a_list_is_a_symbol_a_line_with_comments(write: WriteUniverse) -> None:
    text = "\ufeff# head\r\n\r\nIBM\r\n  BRK.B  # holding\r\n#AAPL\r\nT"
    write("mine", text)
    found = read_symbols("Symbols", ["@mine"])
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert found == Symbols(names=("IBM", "BRK.B", "T"), universes={"mine": digest})


def test_lists_and_symbols_mix_in_their_order_and_each_symbol_comes_once(
    write: WriteUniverse,
) -> None:
    write("mine", "IBM\nT\n")
    write("yours", "T\nKO\n")
    found = read_symbols("Symbols", ["TSLA", "@mine", "IBM", "@yours"])
    assert found.names == ("TSLA", "IBM", "T", "KO")
    assert found.universes.keys() == {"mine", "yours"}


def test_without_a_list_no_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_universes(tmp_path / "nowhere", monkeypatch)
    assert read_symbols("Symbols", ["IBM"]) == Symbols(names=("IBM",), universes={})
    assert read_symbols("Symbols", []) == Symbols(names=(), universes={})


def test_an_unknown_list_is_refused_with_the_names_that_there_are(write: WriteUniverse) -> None:
    write("mine", "IBM\n")
    write("yours", "T\n")
    error = refused("@mime")
    assert error.code == "UNIVERSE_UNKNOWN"
    assert "did you mean mine?" in error.advice
    assert "the lists are: mine, yours" in error.advice


def test_without_any_list_an_unknown_one_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_universes(tmp_path / "nowhere", monkeypatch)
    assert refused("@mine").code == "UNIVERSE_UNKNOWN"


def test_a_list_that_is_a_folder_or_lies_elsewhere_is_unknown(
    write: WriteUniverse, tmp_path: Path
) -> None:
    write("mine", "IBM\n")
    write("OTHER", "IBM\n")
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x.txt").write_text("IBM\n")
    for name in ("@folder", "@below/x", "@../x", "@", "@mine.txt", "@OTHER", "@/etc/passwd"):
        assert refused(name).code == "UNIVERSE_UNKNOWN"


@pytest.mark.parametrize("text", ["", "\n\n", "# IBM\n", "   # nothing"])
def test_an_empty_list_is_refused(write: WriteUniverse, text: str) -> None:
    write("mine", text)
    error = refused("@mine")
    assert (error.code, error.facts["universe"]) == ("UNIVERSE_EMPTY", "mine")


@pytest.mark.parametrize(
    "wrong", ["ibm", "IBM,T", "IBM T", "../IBM", "@mine", "TOOLONGNAME", "IBM", "-", "A\x00"]
)
def test_a_line_that_is_not_a_new_symbol_is_refused_with_its_number(
    write: WriteUniverse, wrong: str
) -> None:
    write("mine", f"# head\nIBM\n{wrong}\nT\n")
    error = refused("@mine")
    assert error.code == "UNIVERSE_INVALID"
    assert (error.facts["universe"], error.facts["line"]) == ("mine", 3)
    assert error.facts["text"] == repr(wrong)


def test_a_list_that_is_not_text_is_refused(write: WriteUniverse, tmp_path: Path) -> None:
    write("mine", "")
    (tmp_path / "mine.txt").write_bytes(b"IBM\n\xff\xfe\n")
    assert refused("@mine").facts["line"] == 2


def test_a_long_line_is_quoted_in_part(write: WriteUniverse) -> None:
    write("mine", "x" * 10_000)
    assert len(str(refused("@mine"))) < 500


def test_symbols_have_a_bound_together(write: WriteUniverse) -> None:
    names = [f"A{number}" for number in range(MAX_SYMBOLS)]
    write("mine", "\n".join(names))
    assert len(read_symbols("Symbols", ["@mine", "A0"]).names) == MAX_SYMBOLS
    error = refused("@mine", "ONEMORE")
    assert (error.code, error.facts["count"]) == ("SYMBOLS_TOO_MANY", MAX_SYMBOLS + 1)


def test_the_list_that_ships_is_about_100_symbols_with_its_date() -> None:
    text = (FOLDER / "liquid.txt").read_text(encoding="utf-8")
    head = text.partition("\n\n")[0]
    assert re.search(r"20\d\d-\d\d", head)
    assert all(line.startswith("# ") for line in head.splitlines())
    names = read_symbols("Symbols", ["@liquid"]).names
    assert 95 <= len(names) <= 105
    assert all(map(SYMBOL_PATTERN.fullmatch, names))
