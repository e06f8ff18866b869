"""Owns a trading day on this machine: broker, embedded AWS, execution, and their document."""
