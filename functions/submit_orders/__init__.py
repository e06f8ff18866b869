"""Submit Orders: places what the plan names, exactly once, and says what became of it."""
