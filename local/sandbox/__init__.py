"""The desk on this machine: the real template in an embedded AWS, one run after another."""
