"""Nuclei: found in an image or in the maps of a network, outlined and measured."""
