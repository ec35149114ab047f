"""Fetching slides from addresses that users gave: never from where the platform should not look."""
