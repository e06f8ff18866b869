"""The session: which one an execution trades in, how long it may take, whether bars are usable."""
