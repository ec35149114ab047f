"""How the packaged models were made: ``python -m training.nuclei --help``."""
