"""The catalogue of applications and their released versions."""
