"""Write the card of a packaged model beside its file."""

import hashlib
import json
from pathlib import Path
from typing import Any


def write_card(network: Path, card: dict[str, Any]) -> None:
    """Write ``card`` with the checksum of ``network`` into the file of the same name ending in ``.json``."""
    stated = {**card, "id": network.stem, "sha256": hashlib.sha256(network.read_bytes()).hexdigest()}
    network.with_suffix(".json").write_text(json.dumps(stated, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
