"""Owns the description of an error in a strategy's own code, short enough for a text message."""

from __future__ import annotations

import re
import traceback
from pathlib import PurePath

from algotrader.plain_text import one_line

_LONGEST = 200
_OPERANDS = re.compile(
    r"unsupported operand type\(s\) for (\S+): '(?:\w+\.)*(\w+)' and '(?:\w+\.)*(\w+)'"
)


def describe_error(error: BaseException) -> str:
    """Format an error as ``file.py:line Type: message``, without double quotes.

    The caller must have caught the error where it calls the strategy's code. The file is the one
    that the caller called. If the call itself failed, there is no file.
    """
    words = (
        error.args[0] if isinstance(error, KeyError) and error.args else error
    )  # without repr's quotes
    message = one_line(_OPERANDS.sub(r"\2 \1 \3", str(words)), _LONGEST).replace('"', "'")
    kind = type(error).__name__
    return " ".join(filter(None, (_place(error), f"{kind}: {message}" if message else kind)))


def _place(error: BaseException) -> str:
    _, *frames = traceback.extract_tb(error.__traceback__)  # the first is the caller
    in_file = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"{PurePath(in_file[-1].filename).name}:{in_file[-1].lineno}" if in_file else ""
