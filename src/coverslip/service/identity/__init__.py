"""Who is calling: the embedded issuer, its keys and tokens, and the check of every request."""
