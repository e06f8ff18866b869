"""The Fetch Bars step: it opens the run and reads all its data from the broker."""
