"""The portfolio: what the desk holds, what it can spend, and how much of each symbol to trade."""
