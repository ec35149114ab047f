"""Test Application: tissue quality control and tissue segmentation without trained models, to try out the platform."""

from importlib.resources import files

from coverslip.applications.protocol import Item, Outputs, Progress

MANIFEST = files(__name__) / "manifest.json"


def process(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Analyse one slide; see `coverslip.applications.test_app.processing`."""
    # The service imports this package for its manifest and must not load image analysis.
    from coverslip.applications.test_app.processing import process_slide

    process_slide(item, outputs, progress)
