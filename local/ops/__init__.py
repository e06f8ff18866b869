"""A deployed stack, seen and changed from outside."""
