"""Risk: every reason not to trade."""
