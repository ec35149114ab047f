"""API v1.0.0 over the runs and items of today: another way to say the same, with no tables of its own."""
