"""Items: the slides of a run."""
