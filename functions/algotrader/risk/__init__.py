"""Risk: all reasons not to trade."""
