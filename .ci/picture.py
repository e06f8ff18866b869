"""Owns `make picture`: a run in a terminal, as docs/run.svg shows it in the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

CHECKOUT = Path(__file__).resolve().parents[1]
PICTURE = CHECKOUT / "docs" / "run.svg"
COLUMNS = 80
# Text that a terminal no longer shows, because later output replaces or erases it.
_CURSOR = re.compile(r"\x1b\[\?25[hl]")
_GONE = re.compile(r"[^\n]*(?:\r(?!\n)|\n\r\x1b\[1A\x1b\[2K)")
_NO_COLOR = re.compile(r"\x1b\[[0-9;]*[A-Za-ln-z]")
# The picture must load nothing from other sites, and any monospace font works.
_FONT_ELSEWHERE = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def main() -> int:
    """Trade a day and save the terminal's final text.

    Returns
    -------
    int
        The exit status of the run.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [CHECKOUT / ".venv" / "bin" / "algo-trader", "run"],
        env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)},
        stdout=subprocess.PIPE,
        check=False,
    )
    shown = _NO_COLOR.sub("", _GONE.sub("", _CURSOR.sub("", done.stdout.decode()))).strip("\n")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text("$ make run", style="bold"))
        console.print(Text.from_ansi(shown))
    picture = console.export_svg(title="algo-trader", unique_id="run")
    if done.returncode == 0:
        PICTURE.write_text(_FONT_ELSEWHERE.sub("\n", picture), encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
