"""Owns the broker's key pair, which never prints itself, and the redaction of responses."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import cache

HIDDEN = b"***"
#: Alpaca's keys are longer. A shorter string could be an ordinary word in an answer.
SHORTEST_KEY = 8
#: Larger answers, such as a page of bars, are searched only for the plain key, which is fast.
LONGEST_SEARCHED = 64 * 1024
_NAMED = {"<": "lt", ">": "gt", "&": "amp", '"': "quot", "'": "apos"}


@dataclass(frozen=True, slots=True)
class Keys:
    """An Alpaca key pair; neither part appears in ``repr``, in logs or in errors.

    Raises
    ------
    ValueError
        If a part is empty, or contains a space, a line break or a non-ASCII character.
    """

    key_id: str = field(repr=False)
    secret_key: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse characters that would make an HTTP library quote the key in its error."""
        for name, part in (("key_id", self.key_id), ("secret_key", self.secret_key)):
            if not part or any(not "!" <= letter <= "~" for letter in part):
                message = f"{name} must be printable ASCII without spaces"
                raise ValueError(message)

    def seal(self, content: bytes) -> str:
        """Compute the HMAC-SHA-256 of some content, in hexadecimal digits.

        Only a person with the keys can compute it, and that person can trade anyway.
        """
        return hmac.new(self.secret_key.encode(), content, hashlib.sha256).hexdigest()

    def redact(self, body: bytes) -> bytes:
        """Return the broker's answer without the keys that it repeats.

        Servers and gateways are known to echo a request's headers in their errors. An error's
        message goes into text messages, logs, the execution's history and the journal.
        """
        return redact(body, self.key_id, self.secret_key)


def redact(body: bytes, *keys: str) -> bytes:
    """Replace keys in a string, even where JSON, a URL or HTML escapes their letters."""
    for key in keys:
        if len(key) < SHORTEST_KEY:
            continue
        if len(body) <= LONGEST_SEARCHED:
            body = _spellings(key).sub(HIDDEN, body)
        else:
            body = body.replace(key.encode(), HIDDEN)
    return body


@cache
def _spellings(key: str) -> re.Pattern[bytes]:
    return re.compile("".join(map(_letter, key)).encode(), re.IGNORECASE)


def _letter(letter: str) -> str:
    """Return a pattern for one letter in every form that a body may have."""
    code = ord(letter)
    ways = [f"%{code:02x}", f"&#0*{code};", f"&#x0*{code:x};"]
    if letter in _NAMED:
        ways.append(f"&{_NAMED[letter]};")
    # JSON within JSON has up to three backslashes before a letter. The plain letter comes last: a
    # backslash, a percent sign and an ampersand also begin their own escaped forms.
    ways += [rf"\\{{1,2}}u00{code:02x}", rf"\\{{0,3}}{re.escape(letter)}"]
    return f"(?:{'|'.join(ways)})"
