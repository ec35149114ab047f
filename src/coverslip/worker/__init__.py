"""Takes one leased item at a time to its end, in a child process that knows no secrets."""
