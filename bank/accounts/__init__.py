"""Products and customers' accounts."""
