"""The strategies that ship, one file each; the template's Strategy parameter names the file."""
