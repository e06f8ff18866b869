"""Owns the scripted Compute Indicators."""

from script import ARTIFACT, play


def lambda_handler(event, _context):
    assert sorted(event) == ["bars", "contract", "run", "settings"]
    return play("Compute Indicators", event, {"features": ARTIFACT})
