"""Objects: slides that clients upload and results that workers write."""
