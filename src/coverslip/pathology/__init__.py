"""Pure image analysis: arrays and geometries in, arrays and geometries out. No files, nothing else of coverslip."""
