"""Mechanism that every floor needs, and nothing about banking."""
