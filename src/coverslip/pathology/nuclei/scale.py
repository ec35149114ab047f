"""How large nuclei are in human tissue, for what must know before it has seen any."""

NUCLEUS_RADIUS_UM = 3.6
"""Of a usual nucleus."""
LEAST_AREA_UM2 = 6.0
"""Nothing smaller is a nucleus: a disc of 2.8 µm."""
