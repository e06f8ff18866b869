"""The adapters: one outside world each."""
