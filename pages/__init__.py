"""Everything a person sees. A page draws and calls verbs; it decides nothing."""
