"""Which item is processed next, by whom, and what happens when a worker is lost."""
