"""Results as DICOM objects: annotations of cells, segmentations of tissue."""
