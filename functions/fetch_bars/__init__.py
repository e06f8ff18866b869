"""The Fetch Bars step: it opens the run, and gathers everything from the broker once."""
