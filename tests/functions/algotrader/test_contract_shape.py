"""The steps' messages change only together with the contract's version."""

from __future__ import annotations

import hashlib
import json
from array import array
from typing import Any

from msgspec.json import schema_components

from algotrader import contracts, model

HANDED_ON = (
    *(contracts.FetchBarsEvent, contracts.FetchBarsResult),
    *(contracts.ComputeIndicatorsEvent, contracts.ComputeIndicatorsResult),
    *(contracts.DecideOrdersEvent, contracts.DecideOrdersResult),
    *(contracts.SubmitOrdersEvent, contracts.SubmitOrdersResult),
    *(contracts.NotifyEvent, model.Bars),
    *(model.Settings, model.Features, model.Snapshot),
    *(model.Decision, model.Plan, model.Submission),
)
#: A shape that was never deployed may change without a new version number.
PINNED = {1: "19c39a16316146e7"}


def without_words(schema: Any) -> Any:
    """Return the schema without its descriptions."""
    if isinstance(schema, list):
        return [without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: without_words(each) for name, each in schema.items() if name != "description"}


def schema_of_column(kind: type) -> dict[str, Any]:
    assert kind is array
    return {"type": "array", "items": {"type": "number"}}


def test_no_shape_changes_without_the_version_of_the_contract() -> None:
    _, shapes = schema_components(HANDED_ON, schema_hook=schema_of_column)
    spelt = json.dumps(without_words(shapes), sort_keys=True)
    shape = hashlib.sha256(spelt.encode()).hexdigest()[:16]
    assert {contracts.CONTRACT_VERSION: shape} == PINNED, (
        "What steps hand to each other has changed. Raise CONTRACT_VERSION and the number in the "
        "state machine (docs/decisions/0044), then pin the new shape here."
    )
