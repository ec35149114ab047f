"""Artifacts: the files that go into an item and come out of it."""
