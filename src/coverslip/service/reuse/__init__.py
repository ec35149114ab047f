"""Results that are used again: the same slide, application version and parameters give the same files."""
