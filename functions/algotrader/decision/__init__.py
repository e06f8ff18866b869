"""The decision: from target weights to orders, each approved or denied with its reason."""
