"""The desk's shared package: basic values, the pure core, and adapters to the outside world."""
