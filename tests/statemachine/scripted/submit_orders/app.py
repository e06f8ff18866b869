"""Owns the stand-in of Submit Orders; each call hands on the plan that the one before made."""

from script import ARTIFACT, play


def lambda_handler(event, _context):
    assert sorted(event) == ["contract", "decision", "plan", "run", "settings"]
    plan = {"inline": {"sequence": event["plan"]["inline"]["sequence"] + 1}}
    answer = {"outcome": "COMPLETE", "wait_seconds": 0, "plan": plan, "submission": ARTIFACT}
    return play("Submit Orders", event, answer)
