"""Objects far larger than memory should have to be."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GIB = 1024**3
CRC32C_OF_5_GIB_OF_ZEROS = "LMX21g=="
ROOM_BYTES = 8 * GIB
MOST_MEMORY_BYTES = 200 * 1024**2

# In a process of its own, so that its peak of memory is nobody else's.
JOIN = """
import asyncio, json, os, sys
from pathlib import Path
from coverslip.service.storage.directory import DirectoryStore
from coverslip.service.storage.signing import UrlSigner
from coverslip.service.storage.store import Area, ObjectKey

store = DirectoryStore(Path(sys.argv[1]), UrlSigner(b"key", "http://localhost/store"))
parts = [ObjectKey(Area.PARTS, f"upload/{number}") for number in range(5)]
for part in parts:
    store.file(part).parent.mkdir(exist_ok=True)
    store.file(part).touch()
    os.truncate(store.file(part), 1024**3)
joined = ObjectKey(Area.INPUTS, "slide")
asyncio.run(store.join(parts, joined, size_bytes=5 * 1024**3, checksum_base64_crc32c=sys.argv[2]))
status = Path("/proc/self/status").read_text()
memory = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps([store.file(joined).stat().st_size, memory]))
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process and not of its parent")
def test_five_gib_are_joined_in_little_memory(tmp_path: Path) -> None:
    free_bytes = shutil.disk_usage(tmp_path).free
    if free_bytes < ROOM_BYTES:
        pytest.skip(f"it needs {ROOM_BYTES / GIB:.0f} GiB of disk, and {free_bytes / GIB:.1f} GiB are free")
    command = [sys.executable, "-c", JOIN, tmp_path, CRC32C_OF_5_GIB_OF_ZEROS]
    try:
        size_bytes, memory_bytes = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    finally:
        shutil.rmtree(tmp_path)
    assert size_bytes == 5 * GIB
    assert memory_bytes < MOST_MEMORY_BYTES
