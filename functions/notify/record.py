"""Owns the run's record: everything known about a run at its end, in one object."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from algotrader.contracts import Failure
from algotrader.messages import Texts
from algotrader.model import Decision, Features, Run, Settings, Snapshot, Submission


class RunRecord(Struct, frozen=True):
    """``record.json`` in the journal; a field is null if the run never reached it."""

    execution_arn: str
    input: Any
    run: Run
    settings: Settings | None
    snapshot: Snapshot | None
    features: Features | None
    decision: Decision | None
    submission: Submission | None
    failure: Failure | None
    texts: Texts
