"""Owns a day on this machine: broker, embedded AWS and execution, reported in one document."""
