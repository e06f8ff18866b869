"""Owns what a strategy says about its own answer, in words of limited length."""

from __future__ import annotations

from msgspec import Struct, field

from algotrader.plain_text import one_line

#: Most characters of a symbol's explanation, and of the note.
LONGEST = 200
_ELLIPSIS = "..."


class Comments(Struct):
    """The explanations and the note of one call, or of one run.

    Attributes
    ----------
    symbols : tuple of str or None
        The symbols that have a reason in the decision; None allows any, as in a strategy's test.
    explanations : dict of str to str
        By symbol, one line each.
    note : str
        One line about the whole run; empty if the strategy adds none.
    """

    symbols: tuple[str, ...] | None = None
    explanations: dict[str, str] = field(default_factory=dict)
    note: str = ""

    def explain(self, symbol: str, words: str) -> None:
        """Add words to a symbol's explanation; see `Strategy.explain`."""
        if self.symbols is not None and symbol not in self.symbols:
            message = (
                f"explain() got {symbol!r}, which is not in the template's Symbols and has no "
                "reason; use note() for words about anything else"
            )
            raise ValueError(message)
        self.explanations[symbol] = _joined(self.explanations.get(symbol, ""), words, "explain")

    def add_note(self, words: str) -> None:
        """Add words to the note; see `Strategy.note`."""
        self.note = _joined(self.note, words, "note")

    def add(self, later: Comments) -> None:
        """Add the comments of a later call."""
        for symbol, words in later.explanations.items():
            self.explain(symbol, words)
        self.add_note(later.note)


def _joined(before: str, words: object, method: str) -> str:
    """Append words, unless they are there already, and cut the line at `LONGEST` characters."""
    if not isinstance(words, str):
        message = f"{method}() takes words as a string, not {type(words).__name__}"
        raise TypeError(message)
    line = one_line(words)
    if not line or line in before.split("; "):
        return before
    whole = f"{before}; {line}" if before else line
    return whole if len(whole) <= LONGEST else whole[: LONGEST - len(_ELLIPSIS)] + _ELLIPSIS
