"""Owns a trading day on this machine: broker, embedded AWS and execution, told as one document."""
