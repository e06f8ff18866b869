"""The Fetch Bars step: the run's opening, and all that the broker knows, gathered once."""
