"""Who may read and change what: roles, grants and share tokens."""
