"""One platform for all pages, and the terminal in which their commands run."""
