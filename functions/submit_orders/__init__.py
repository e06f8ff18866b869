"""Submit Orders: places the plan's orders exactly once, and reports their status."""
