"""Owns the scripted Fetch Bars; without a script its message contains the input."""

import json

from script import ARTIFACT, SETTINGS, play, script_of


def lambda_handler(event, _context):
    script = script_of(event)
    run = {"run_id": "2012-01-03-day", "arn": event["execution_arn"], "script": script}
    message = "" if script else json.dumps(event["input"])
    answer = {"outcome": "OPEN", "message": message, "run": run}
    answer |= {"settings": SETTINGS, "bars": ARTIFACT, "snapshot": ARTIFACT}
    return play("Fetch Bars", event, answer)
