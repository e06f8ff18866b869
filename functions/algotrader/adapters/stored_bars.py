"""Owns bars between steps: inline if few, otherwise an object in numpy's own format.

The object is an ``.npz`` file. Its columns have the bars of all symbols one after the other.
"""

from __future__ import annotations

import zipfile
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from algotrader.adapters.store import Store, fits_inline
from algotrader.contracts import Artifact, canonical_json, encode, state_invalid
from algotrader.model import Bars, Run
from algotrader.soundness import first_flaw

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A bar takes at least this many bytes as JSON: an instant and five figures.
_LEAST_BAR_BYTES = 35
_COLUMNS = ("open", "high", "low", "close", "volume")
#: The arrays of an object, each with its type and number of dimensions. ``symbols`` and ``lengths``
#: have one entry per symbol, ``at`` one per bar, and ``figures`` one per column and bar.
_ARRAYS = {"symbols": ("<U", 1), "lengths": ("<i8", 1), "at": ("<i8", 1), "figures": ("<f8", 2)}
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_WHAT = "bars"


def put_bars(store: Store, run: Run, bars: Mapping[str, Bars]) -> Artifact:
    """Pass bars to the next step."""
    least = sum(map(len, bars.values())) * _LEAST_BAR_BYTES
    if fits_inline(least) and fits_inline(len(canonical_json(bars))):
        return Artifact(inline=encode(bars))
    return store.put_content(run, _WHAT, pack(bars), "npz")


def get_bars(store: Store, artifact: Artifact) -> dict[str, Bars]:
    """Return the bars that Fetch Bars passed on.

    Raises
    ------
    InvalidInputError
        As `Store.get`.
    """
    if artifact.s3:
        return unpack(store.get_content(artifact))
    return store.get(artifact, dict[str, Bars])


def pack(bars: Mapping[str, Bars]) -> bytes:
    """Format bars as an ``.npz`` file; the same bars give the same bytes."""
    import numpy as np  # noqa: PLC0415 - a run with few symbols does without

    known: dict[tuple[datetime, ...], NDArray[Any]] = {}
    for each in bars.values():
        if each.at not in known:
            known[each.at] = np.array([(it - _EPOCH) // _MICROSECOND for it in each.at], "i8")
    figures = np.empty((len(_COLUMNS), sum(map(len, bars.values()))))
    for name, column in zip(_COLUMNS, figures, strict=True):
        np.concatenate([getattr(each, name) for each in bars.values()], out=column)
    content = BytesIO()
    np.savez(
        content,
        symbols=np.array(list(bars)),
        lengths=np.array(list(map(len, bars.values())), "i8"),
        at=np.concatenate([known[each.at] for each in bars.values()]),
        figures=figures,
    )
    return content.getvalue()


def unpack(content: bytes) -> dict[str, Bars]:
    """Parse an ``.npz`` file of bars.

    Raises
    ------
    InvalidInputError
        ``STATE_INVALID`` if it is not such a file, or has a value that no step can use.
    """
    import numpy as np  # noqa: PLC0415 - a run with few symbols does without

    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise state_invalid(_WHAT, f"not an .npz file of arrays: {error}") from error
    forms = {
        name: (
            each.dtype.str.rstrip("0123456789") if name == "symbols" else each.dtype.str,
            each.ndim,
        )
        for name, each in found.items()
    }
    if forms != _ARRAYS:
        raise state_invalid(_WHAT, f"arrays of another form: {forms}")
    symbols, lengths = found["symbols"].tolist(), found["lengths"].tolist()
    stamps, figures = found["at"], found["figures"]
    names, total = len(set(symbols)), sum(lengths)
    sizes = (len(symbols), len(lengths), len(stamps), *figures.shape)
    if sizes != (names, names, total, len(_COLUMNS), total) or min(lengths) < 0:
        raise state_invalid(_WHAT, f"arrays of different lengths: {sizes}")
    if not np.isfinite(figures).all():
        raise state_invalid(_WHAT, "a figure is NaN or infinite")
    bars = {}
    known: dict[bytes, tuple[datetime, ...]] = {}
    start = 0
    for symbol, length in zip(symbols, lengths, strict=True):
        end = start + length
        columns = (array("d", each[start:end].tobytes()) for each in figures)
        bars[symbol] = Bars("1Day", _instants(stamps[start:end].tobytes(), known), *columns)
        start = end
    if flaw := first_flaw([symbols, *known.values()]):
        raise state_invalid(_WHAT, flaw)
    return bars


def _instants(stamps: bytes, known: dict[bytes, tuple[datetime, ...]]) -> tuple[datetime, ...]:
    """Convert microseconds since 1970 to instants; most symbols have the same ones."""
    if stamps not in known:
        try:
            known[stamps] = tuple(_EPOCH + each * _MICROSECOND for each in array("q", stamps))
        except OverflowError as error:
            raise state_invalid(_WHAT, f"an instant out of range: {error}") from error
    return known[stamps]
