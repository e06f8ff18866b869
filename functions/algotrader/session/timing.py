"""Owns two bounds: how long an order may take to show, and how long a call may continue to send."""

from datetime import timedelta

# How long a cancel, or an order sent at the last moment, may take to show its final status. The
# broker shows an accepted order by its id within 30 s. An order not found by then was not accepted.
SETTLE = timedelta(seconds=60)
# Only its Timeout in template.yaml stops a call of Submit Orders. A call with an older plan, or of
# a stopped execution, may continue to send for this long.
LAST_CALL = timedelta(seconds=90)
