"""Attempts: what workers did with an item, and why each ended."""
