"""Owns the step Compute Indicators."""
