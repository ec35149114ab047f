"""What an application is given and what it owes: ``process(item, outputs, progress)``.

It reads the files of `Item`, publishes each output artifact through `Outputs` as soon as it exists, tells its progress,
and raises `coverslip.applications.errors.UserError` when the input is at fault. Any other exception counts as its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class InputFile:
    """An input artifact: a local file, and the metadata that was submitted with it and fits the manifest's schema."""

    path: Path
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One item of a run; ``inputs`` maps the names of the manifest's input artifacts to files."""

    item_id: str
    external_id: str
    inputs: Mapping[str, InputFile]


class Outputs(Protocol):
    """Where an application puts its results."""

    @property
    def directory(self) -> Path:
        """An empty folder of the application's own, on a disk with room."""

    def write(self, name: str, path: Path, metadata: Mapping[str, Any]) -> None:
        """Publish the file ``path`` in `directory` as the output artifact ``name`` at once.

        ``metadata`` fits the manifest's schema but for ``checksum_base64_crc32c``, which the platform adds. Users are
        shown the sentences that it lists under ``warnings``. The file must not change afterwards.
        """


class Progress(Protocol):
    """Told by the application how far it is."""

    def __call__(self, stage: str, fraction: float) -> None:
        """``stage`` names the work at hand; ``fraction`` is the part of the whole item done, 0 to 1, never falling."""


class Process(Protocol):
    """The entry of an application."""

    def __call__(self, item: Item, outputs: Outputs, progress: Progress) -> None:
        """Analyse one item."""
