"""Accounting: the desk's books, its profit and loss, and what the account says of them."""
