"""Runs: created in one transaction, ended by their items, a deadline or a cancellation."""
