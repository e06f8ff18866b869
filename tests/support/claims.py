"""Owns the passing of the minute in which what a finished run has sent may not show yet."""

from __future__ import annotations

import json
from typing import Any


def a_minute_later(s3: Any, bucket: str) -> None:
    """Let the runs that are over have ended long before."""
    for found in s3.list_objects_v2(Bucket=bucket, Prefix="runs/")["Contents"]:
        if found["Key"].endswith("/claim.json"):
            claim = json.load(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"])
            claim["ended"] = "2012-01-01T00:00:00Z"
            s3.put_object(Bucket=bucket, Key=found["Key"], Body=json.dumps(claim).encode())
