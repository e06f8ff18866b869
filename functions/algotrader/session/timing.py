"""Owns how long what a run sent may take to show, and how long a call goes on sending at most."""

from datetime import timedelta

# How long a cancel, or an order that was sent at the last moment, may take to show its end. An
# accepted order is visible by its id within 30 s, so what is not found by then was never accepted.
SETTLE = timedelta(seconds=60)
# Nothing stops a call of Submit Orders but its own Timeout, in template.yaml: one that began with
# an older plan, or for an execution that was stopped, may send for so long.
LAST_CALL = timedelta(seconds=90)
