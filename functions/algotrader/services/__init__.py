"""Services: work with the outside world that steps and commands share."""
