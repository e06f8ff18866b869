"""Owns how Notify reads its event; if the run failed, it skips parts that it cannot read."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, structs

from algotrader.contracts import Failure, NotifyEvent, decode, decode_event, replace_surrogates
from algotrader.errors import InvalidInputError

_WHAT = "the input of Notify"
_CAN_BE_UNREAD = {"run", "settings", "snapshot", "features", "decision", "submission"}


class _End(Struct, frozen=True):
    failure: Failure | None = None


def read_event(event: object) -> tuple[NotifyEvent, tuple[str, ...]]:
    """Read the event; if the run failed, read every readable part of any contract version.

    Returns
    -------
    tuple
        The event, and the names of the unreadable parts, which are null in it.

    Raises
    ------
    ConfigurationError, InvalidInputError
        As `decode_event` does. For a failed run, only if the failure itself cannot be read.
    """
    given = replace_surrogates(event)
    failure = decode(_End, given, _WHAT).failure
    if failure is None:
        return decode_event(NotifyEvent, given, _WHAT), ()
    fields = [each for each in structs.fields(NotifyEvent) if each.name != "contract"]
    unread = tuple(
        each.name
        for each in fields
        if each.name in _CAN_BE_UNREAD and not _fits(given.get(each.name), each.type)
    )
    known = {each.name: given.get(each.name) for each in fields}
    return decode(NotifyEvent, {**known, **dict.fromkeys(unread)}, _WHAT), unread


def _fits(value: object, kind: Any) -> bool:
    try:
        decode(kind, value, _WHAT)
    except InvalidInputError:
        return False
    return True
