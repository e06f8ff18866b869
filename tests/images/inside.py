"""Owns scripts that inspect an image or a container with the image's own Python."""

from __future__ import annotations

import json
from typing import Any

from tests.images.commands import docker

# The files under /var/task, the Python's markers, and every source without valid bytecode.
CONTENTS = """
import hashlib, importlib.metadata, importlib.util, json, marshal, pathlib, platform, sys
import os

task = pathlib.Path("/var/task")
files, unfit, recorded = {}, [], set()
for path in sorted(task.rglob("*")):
    if path.is_dir():
        continue
    name = str(path.relative_to(task))
    content = path.read_bytes()
    files[name] = hashlib.sha256(content).hexdigest()
    if path.suffix == ".py":
        cached = pathlib.Path(importlib.util.cache_from_source(str(path)))
        head = cached.read_bytes()[:16] if cached.exists() else b""
        wanted = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
        if head != wanted + importlib.util.source_hash(content):
            unfit.append(name)
        elif marshal.loads(cached.read_bytes()[16:]).co_filename != str(path):
            unfit.append(name + " has another path in its bytecode")
packages = {}
for each in importlib.metadata.distributions(path=[str(task)]):
    packages[each.metadata["Name"]] = each.version
    recorded.update(os.path.normpath(str(file)) for file in each.files or ())
print(json.dumps({
    "files": files,
    "unfit": unfit,
    "packages": packages,
    "recorded": sorted(recorded),
    "markers": {
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
        "platform_system": platform.system(),
        "sys_platform": sys.platform,
        "os_name": os.name,
    },
    "base": sorted(each.metadata["Name"] for each in importlib.metadata.distributions()),
}))
"""

# The peak memory of a container's processes in MiB, without this process.
PEAK = """
import os, pathlib
peak = 0
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
    if int(lines["Pid"]) != os.getpid():
        peak += int(lines.get("VmHWM", "0").split()[0])
print(peak / 1024)
"""


def contents(image: str) -> Any:
    """Return an image's files, packages, markers and invalid bytecode."""
    text = docker("run", "--rm", "-i", "--entrypoint", "python3", image, "-P", "-", given=CONTENTS)
    return json.loads(text)


def peak_memory(container: str) -> float:
    """Return the peak memory of a running container's processes, in MiB.

    The figure is the sum of all processes' peaks, so it counts shared pages several times.
    """
    return float(docker("exec", "-i", container, "python3", "-P", "-", given=PEAK))
