"""Fetching slides from addresses that users gave."""
