"""Attempts on the nodes of a Ray cluster. Importing a module of this package imports Ray."""

import os

# Ray reads it when it is imported; it would leave out lines of the nodes' logs that differ only in their numbers.
os.environ.setdefault("RAY_DEDUP_LOGS", "0")
