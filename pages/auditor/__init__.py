"""Pages of auditors, and of whoever else may read the books."""
