"""Quotas, usage and cost: how much an organization and its users may do, have done, and owe."""
