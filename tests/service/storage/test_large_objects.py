"""Objects far larger than memory should have to be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GIB = 1024**3
CRC32C_OF_5_GIB_OF_ZEROS = "LMX21g=="
MOST_MEMORY_BYTES = 200 * 1024**2

# In a process of its own, so that its peak of memory is nobody else's. The file is all holes, so it takes no disk.
JOIN = """
import asyncio, json, os, sys
from pathlib import Path
from coverslip.contract.uploads import UploadPart
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.parts_in_place import PartsInPlace
from coverslip.service.storage.signing import UrlSigner
from coverslip.service.storage.store import Area, ObjectKey

store = DirectoryStore(Path(sys.argv[1]), UrlSigner(b"key", "http://localhost/store"))
parts = [UploadPart(number=1, offset_bytes=0, size_bytes=5 * 1024**3)]
content = store.file(ObjectKey(Area.PARTS, "upload/content"))
content.parent.mkdir()
content.touch()
os.truncate(content, 5 * 1024**3)
joined = ObjectKey(Area.INPUTS, "slide")
joining = PartsInPlace(store).join(
    "upload/", parts, joined, size_bytes=5 * 1024**3, checksum_base64_crc32c=sys.argv[2]
)
asyncio.run(joining)
status = Path("/proc/self/status").read_text()
memory = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps([store.file(joined).stat().st_size, memory]))
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process and not of its parent")
def test_five_gib_are_joined_in_little_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", JOIN, tmp_path, CRC32C_OF_5_GIB_OF_ZEROS]
    size_bytes, memory_bytes = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert size_bytes == 5 * GIB
    assert memory_bytes < MOST_MEMORY_BYTES
