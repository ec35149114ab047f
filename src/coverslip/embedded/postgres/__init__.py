"""PostgreSQL from a wheel, run and looked after by us."""
