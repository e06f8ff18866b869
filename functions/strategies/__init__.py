"""The strategies that ship: one file each, with the name that the template's Strategy takes."""
