"""What every page is built of, so that the bank looks and speaks the same everywhere."""
