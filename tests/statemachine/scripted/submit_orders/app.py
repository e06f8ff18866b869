"""Owns the scripted Submit Orders; each call passes on the previous call's plan."""

from script import ARTIFACT, play


def lambda_handler(event, _context):
    assert sorted(event) == ["contract", "decision", "plan", "run", "settings"]
    plan = {"inline": {"sequence": event["plan"]["inline"]["sequence"] + 1}}
    answer = {"outcome": "COMPLETE", "wait_seconds": 0, "plan": plan, "submission": ARTIFACT}
    return play("Submit Orders", event, answer)
