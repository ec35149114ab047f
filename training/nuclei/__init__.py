"""Training of the packaged nucleus network, from images that are free to use for it."""
