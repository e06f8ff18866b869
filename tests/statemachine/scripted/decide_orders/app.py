"""Owns the scripted Decide Orders."""

from script import ARTIFACT, play


def lambda_handler(event, _context):
    assert sorted(event) == ["contract", "features", "run", "settings", "snapshot"]
    answer = {"outcome": "SUBMIT", "decision": ARTIFACT, "plan": {"inline": {"sequence": 0}}}
    return play("Decide Orders", event, answer)
