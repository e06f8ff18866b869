"""The Compute Indicators step."""
