"""Owns the sizes that AWS accepts, and how AWS measures them; docs/decisions/0040 has sources."""

from __future__ import annotations

import json

MAX_PARAMETER_BYTES = 4096
MAX_ENVIRONMENT_BYTES = 4096
MAX_VALUE_BYTES = 256 * 1024
MAX_VARIABLES_BYTES = 10 * 1024 * 1024
MAX_ERROR_LENGTH, MAX_CAUSE_LENGTH = 256, 32_768
MAX_SUBJECT_LENGTH = 99

#: Lambda's message for an environment that is too large; the variables follow as JSON.
TOO_MUCH_ENVIRONMENT = (
    "Lambda was unable to configure your environment variables because the environment variables "
    "you have provided exceeded the 4KB limit. String measured: "
)


def measure(value: object) -> int:
    """Count the bytes of a value as compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))
