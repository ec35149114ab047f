"""Train a classifier of tissue on regions that somebody painted."""
