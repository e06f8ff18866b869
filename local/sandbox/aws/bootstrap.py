"""Owns the zip that replaces the images: a bootstrap that starts a Lambda runtime client."""

from __future__ import annotations

import io
import shlex
import sys
import zipfile
from pathlib import Path

LOOP = Path(__file__).with_name("runtime_loop.py")
EXECUTABLE = 0o755 << 16


def runtime_command(*, own_loop: bool) -> list[str]:
    """Return the command that serves a handler: our own loop, or awslambdaric, for Linux only."""
    if own_loop:
        return [sys.executable, "-P", str(LOOP)]
    return [sys.executable, "-m", "awslambdaric"]


def bootstrap_zip(functions: Path, command: list[str]) -> bytes:
    """Zip a bootstrap that runs a command for ``$_HANDLER``.

    The import root ``functions`` becomes the working directory, as in the image.
    """
    script = (
        "#!/bin/sh\n"
        f"cd {shlex.quote(str(functions.resolve()))} || exit 1\n"
        f'exec {shlex.join(command)} "$_HANDLER"\n'
    )
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = EXECUTABLE
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(entry, script)
    return content.getvalue()
