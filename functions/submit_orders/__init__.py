"""The Submit Orders step: it places the plan's orders exactly once and reports their status."""
