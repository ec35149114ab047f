"""Results as AnnData and SpatialData, for single-cell and spatial omics tools."""
