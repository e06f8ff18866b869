"""Writes pip's settings of this machine, as far as they name an index, for use inside another root.

Usage: pip_settings.py FOLDER SEEN_AS. FOLDER gets pip.conf and the certificates that it names;
SEEN_AS is the folder's name from inside.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from pathlib import Path

INDEX_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")


def main(folder: Path, seen_as: str) -> None:
    """Write pip.conf; settings that name files of this machine stay out."""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    pairs = (line.partition("=") for line in answer.stdout.splitlines())
    # ":env:" comes before "global", so what the environment says goes last, and wins
    settings = {
        name.rpartition(".")[2]: value.strip("'\"")
        for name, _, value in sorted(pairs, key=lambda pair: pair[0].startswith(":env:"))
    }
    lines = ["[global]"]
    for name in INDEX_SETTINGS:
        words = [word for word in settings.get(name, "").split() if "file:" not in word]
        if words:
            lines.append(f"{name} = {' '.join(words)}")
    certificates = settings.get("cert") or ssl.get_default_verify_paths().cafile
    if certificates:
        shutil.copy(certificates, folder / "certificates.pem")
        lines.append(f"cert = {seen_as}/certificates.pem")
    (folder / "pip.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
