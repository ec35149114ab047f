"""When two items have the same result."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from coverslip.contract.fields import JsonObject


@dataclass(frozen=True)
class KnownInput:
    """An input as the application sees it.

    Attributes
    ----------
    name
        The input artifact's.
    file_name
        Of the local file: its suffix may decide how it is read.
    sha256
        Of its content, as hexadecimal digits.
    metadata
        Submitted with it; these are the parameters.
    """

    name: str
    file_name: str
    sha256: str
    metadata: JsonObject


def content_key(
    application_id: str, version_number: str, inputs: Iterable[KnownInput], models: Mapping[str, str]
) -> bytes:
    """What the result of an item depends on, as 32 bytes.

    Two items with the same key have the same result, because a released version is immutable and deterministic, if it
    runs with the same ``models`` in place of its own: those that the worker's site chose, by what they find. The digest
    is SHA-256 (FIPS 180-4): unlike a checksum, nobody can make another slide that has it.
    """
    described = sorted((asdict(known) for known in inputs), key=lambda known: str(known["name"]))
    text = json.dumps([application_id, version_number, described, dict(models)], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()
