"""Copies the index settings of this machine's pip for use inside another root.

Usage: pip_settings.py FOLDER SEEN_AS. The script writes pip.conf and its certificates to FOLDER.
SEEN_AS is the path of FOLDER inside the root.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from pathlib import Path

INDEX_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")


def main(folder: Path, seen_as: str) -> None:
    """Write pip.conf without settings that name files on this machine."""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    pairs = (line.partition("=") for line in answer.stdout.splitlines())
    # settings from the environment (":env:") come last, so they win
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
