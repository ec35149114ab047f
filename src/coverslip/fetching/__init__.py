"""Requests to addresses that users gave: never to where the platform should not look."""
