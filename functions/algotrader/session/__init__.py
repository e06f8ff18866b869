"""The session: which one an execution trades in, its run's time limits, and the checks of bars."""
