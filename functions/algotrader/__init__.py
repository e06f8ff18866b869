"""The desk's shared package: ground values, the pure core and the adapters of the outside world."""
