"""Owns what runs on your machine and never ships in an image."""
