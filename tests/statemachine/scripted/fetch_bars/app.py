"""Owns the stand-in of Fetch Bars; its message says which input reached it."""

import json

from script import ARTIFACT, SETTINGS, play, script_of


def lambda_handler(event, _context):
    run = {"run_id": "2012-01-03-day", "arn": event["execution_arn"], "script": script_of(event)}
    answer = {"outcome": "OPEN", "message": json.dumps(event["input"]), "run": run}
    return play(
        "Fetch Bars",
        event,
        answer | {"settings": SETTINGS, "bars": ARTIFACT, "snapshot": ARTIFACT},
    )
