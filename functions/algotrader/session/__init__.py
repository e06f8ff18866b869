"""The session: its choice for an execution, a run's time limits, and the checks of bars."""
