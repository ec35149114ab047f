"""Measure models on labelled images."""
