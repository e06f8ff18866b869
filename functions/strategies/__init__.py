"""Owns the strategies that ship: one file each, named as the template's Strategy names it."""
