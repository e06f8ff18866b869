"""The portfolio: what the desk holds, what it can spend, how much to trade of each symbol."""
