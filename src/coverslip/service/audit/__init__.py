"""Who did what, kept for ever: rows are only ever added."""
