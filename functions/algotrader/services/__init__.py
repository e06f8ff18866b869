"""Services: what both steps and commands do with the outside world."""
