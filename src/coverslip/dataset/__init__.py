"""Slides to try the platform with."""
