"""The adapters, one for each outside system."""
