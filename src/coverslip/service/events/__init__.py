"""Events: what happened to a run, numbered without gaps."""
