"""Owns the broker's key pair, which never shows its values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Keys:
    """An Alpaca key pair; neither part appears in ``repr``, in logs or in errors.

    Raises
    ------
    ValueError
        When a part is empty or holds what no HTTP header can: spaces, line ends, non-ASCII.
    """

    key_id: str = field(repr=False)
    secret_key: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what an HTTP library would print in its own error."""
        for name, part in (("key_id", self.key_id), ("secret_key", self.secret_key)):
            if not part or any(not "!" <= letter <= "~" for letter in part):
                message = f"{name} must be printable ASCII without spaces"
                raise ValueError(message)
