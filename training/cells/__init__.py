"""Training of the packaged cell classifier, from images that are free to use for it."""
