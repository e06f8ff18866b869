"""The risk layer: every reason not to trade an order."""
