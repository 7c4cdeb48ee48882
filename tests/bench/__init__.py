"""How fast the bank is, always as a ratio to the plainest program that does the same work."""
