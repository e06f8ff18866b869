"""The committed market data matches its description in PROVENANCE.md."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from local.paper_broker import data
from local.paper_broker.data import Dividend, Hours, load

FOLDER = Path(data.__file__).parent


def test_every_table_is_the_one_that_the_provenance_names() -> None:
    text = (FOLDER / "PROVENANCE.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| (\S+\.csv(?:\.gz)?) \|.*`([0-9a-f]{64})`", text, re.MULTILINE))
    assert set(named) == {path.name for path in FOLDER.glob("*.csv*")}
    for name, digest in named.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_each_symbol_has_a_bar_in_every_session_since_its_first() -> None:
    history = load()
    assert list(history.sessions) == sorted(set(history.sessions))
    assert set(history.bars) == set(history.listings) == {"AAPL", "FB", "GOOG", "IBM", "MSFT"}
    for symbol, bars in history.bars.items():
        first = history.sessions.index(bars[0].session)
        assert tuple(bar.session for bar in bars) == history.sessions[first:], symbol


def test_each_bar_is_possible() -> None:
    for symbol, bars in load().bars.items():
        for bar in bars:
            assert 0 < bar.low <= min(bar.open, bar.close), (symbol, bar)
            assert bar.high >= max(bar.open, bar.close), (symbol, bar)
            assert bar.volume > 0, (symbol, bar)


@pytest.mark.parametrize(
    ("day", "close"),
    [("2012-11-23", "13:00"), ("2012-12-24", "13:00"), ("2012-11-26", "16:00")],
)
def test_known_sessions_close_when_the_exchange_did(day: str, close: str) -> None:
    history = load()
    assert history.hours(date.fromisoformat(day)) == Hours(time(9, 30), time.fromisoformat(close))
    assert date.fromisoformat(day) in history.sessions


@pytest.mark.parametrize("day", ["2001-09-12", "2012-10-29", "2012-12-25", "2013-01-21"])
def test_known_closures_are_not_sessions(day: str) -> None:
    assert date.fromisoformat(day) not in load().sessions


def test_each_split_is_seen_in_the_raw_prices() -> None:
    history = load()
    assert len(history.splits) == 3
    for split in history.splits:
        closes = {bar.session: bar.close for bar in history.bars[split.symbol]}
        days = sorted(closes)
        before = closes[days[days.index(split.ex_date) - 1]]
        assert closes[split.ex_date] / before * split.ratio == pytest.approx(
            Decimal(1), abs=Decimal("0.1")
        )


def test_the_derived_dividends_are_whole_cents_on_sessions() -> None:
    history = load()
    assert Dividend("MSFT", date(2004, 11, 15), Decimal(3), special=True) in history.dividends
    assert Dividend("AAPL", date(2012, 8, 9), Decimal("2.65"), special=False) in history.dividends
    for paid in history.dividends:
        assert paid.ex_date in history.sessions
        assert paid.amount == paid.amount.quantize(Decimal("0.01")) > 0


def test_loading_needs_no_pandas() -> None:
    program = (
        "import sys; from local.paper_broker.data import load; load(); "
        "print(sorted({'pandas', 'numpy', 'exchange_calendars'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=FOLDER.parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"
