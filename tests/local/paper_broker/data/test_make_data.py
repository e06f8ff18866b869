"""The script derives splits and dividends correctly. A full run is manual and needs the wheel."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local.paper_broker.data.make_data import corporate_actions, read_source


def row(day: str, close: str, adjusted: str) -> dict[str, str]:
    return {"Date": day, "Close": close, "Adj Close": adjusted}


def test_a_dividend_is_the_jump_of_the_factor_times_the_close_of_the_ex_date() -> None:
    days = [row("2020-01-02", "10", "9.5238095238"), row("2020-01-03", "10", "10")]
    assert corporate_actions({"X": days}) == ([], [("X", "2020-01-03", "0.5", "false")])


def test_a_split_is_distinguished_from_a_dividend_and_from_noise() -> None:
    days = [
        row("2020-01-02", "30", "9.99999999"),
        row("2020-01-03", "10", "10"),
        row("2020-01-06", "10", "10.00000001"),
    ]
    assert corporate_actions({"X": days}) == ([("X", "2020-01-03", "3", "1")], [])


def test_a_special_dividend_has_a_separate_row() -> None:
    days = [row("2004-11-12", "29.97", "26.9409"), row("2004-11-15", "27.39", "27.39")]
    _, dividends = corporate_actions({"MSFT": days})
    assert [(ex_date, special) for _, ex_date, _, special in dividends] == [
        ("2004-11-15", "false"),
        ("2004-11-15", "true"),
    ]
    assert dividends[1][2] == "3"


def test_another_source_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bokeh_sampledata/_data/stocks.csv.gz", b"other")
    with pytest.raises(SystemExit, match="is not the file that PROVENANCE"):
        read_source(wheel)
