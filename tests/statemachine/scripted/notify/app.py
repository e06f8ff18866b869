"""Owns the scripted Notify, which sends the event that it received as its e-mail."""

import json

from script import play

FIELDS = ["contract", "decision", "execution_arn", "failure", "features", "input"]
FIELDS += ["run", "settings", "snapshot", "submission"]


def lambda_handler(event, _context):
    assert sorted(event) == FIELDS
    failure = event["failure"] or {"error": "", "cause": ""}
    answer = {"sms": "sent", "subject": "a run", "email": json.dumps(event, ensure_ascii=False)}
    answer |= {"error": failure["error"], "cause": failure["cause"]}
    return play("Notify Failure" if event["failure"] else "Notify", event, answer)
