"""H&E TME: tissue quality, tissue classes, cells and readouts of H&E slides of cancer."""

from importlib.resources import files

from coverslip.applications.protocol import Item, Outputs, Progress

MANIFEST = files(__name__) / "manifest.json"


def process(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Analyse one slide; see `coverslip.applications.he_tme.processing`."""
    # The service imports this package for its manifest and must not load image analysis.
    from coverslip.applications.he_tme.processing import process_slide

    process_slide(item, outputs, progress)
