"""Where an application runs: an engine starts it and watches over it."""
