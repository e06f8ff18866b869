"""Owns the end of the minute after a run, in which the broker might not yet show its orders."""

from __future__ import annotations

import json
from typing import Any


def a_minute_later(s3: Any, bucket: str) -> None:
    """Move the end of every finished run far into the past."""
    for found in s3.list_objects_v2(Bucket=bucket, Prefix="runs/")["Contents"]:
        if found["Key"].endswith("/claim.json"):
            claim = json.load(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"])
            claim["ended"] = "2012-01-01T00:00:00Z"
            s3.put_object(Bucket=bucket, Key=found["Key"], Body=json.dumps(claim).encode())
