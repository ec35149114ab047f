"""Coverslip: an open, self-hosted platform for computational pathology."""

from importlib.metadata import version

__version__ = version("coverslip")
