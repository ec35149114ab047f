"""Numbers that sum up a slide: its areas, its regions, its cells, and who is whose neighbour."""
