"""The bank: everything it decides and remembers. Pages draw it, reports look at it."""
