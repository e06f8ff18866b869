"""Accounting: the desk's books, its profit and loss, and their comparison with the account."""
