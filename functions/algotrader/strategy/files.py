"""Owns how a strategy reads its own files: as bytes, or as an object that is loaded once a run."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar

T = TypeVar("T")


class Files(Mapping[str, bytes]):
    """The files of a strategy, by name.

    Parameters
    ----------
    contents : mapping of str to bytes
        Contents by name, for the test of a strategy. In a run they are the user's objects.
    """

    def __init__(self, contents: Mapping[str, bytes] = MappingProxyType({})) -> None:
        self._contents = contents
        self._loaded: dict[str, Any] = {}

    def load(self, name: str, loader: Callable[[BinaryIO], T]) -> T:
        """Return what a loader makes of a file, and return the same object for the rest of the run.

        Parameters
        ----------
        name : str
            The file's name. The first call decides which loader reads it.
        loader : callable
            Reads an open binary file, for example ``json.load``, ``numpy.load`` or ``joblib.load``.
        """
        if name not in self._loaded:
            self._loaded[name] = loader(io.BytesIO(self[name]))
        loaded: T = self._loaded[name]
        return loaded

    def __getitem__(self, name: str) -> bytes:
        """Return a file's content."""
        return self._contents[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._contents)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._contents)
