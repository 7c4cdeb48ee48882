"""What every desk shares."""
