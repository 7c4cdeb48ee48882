"""Pages of head office: what holds for the whole bank."""
