"""The Decide Orders step."""
