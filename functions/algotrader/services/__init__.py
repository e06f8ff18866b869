"""Services: what steps and commands both do with the outside world."""
