"""Pages of a demo bank."""
