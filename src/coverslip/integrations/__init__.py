"""Bridges between Coverslip and software of others."""
