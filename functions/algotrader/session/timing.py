"""Owns two time limits: for an order's final status to appear, and for a call to stop sending."""

from datetime import timedelta

# The longest time until a cancel, or an order sent at the last moment, shows its final status. The
# broker shows an accepted order by its id within 30 s. An order not found by then was not accepted.
SETTLE = timedelta(seconds=60)
# Only the function's Timeout in template.yaml stops a call to Submit Orders. So a call with an
# older plan, or from a stopped execution, may continue to send for this long.
LAST_CALL = timedelta(seconds=90)
