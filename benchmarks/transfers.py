"""Uploading and downloading one large file, against curl on the same path."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import httpx

from benchmarks.figure import Figure
from benchmarks.running import running_platform
from coverslip import platform
from coverslip.contract.uploads import UploadCreateRequest, UploadPart
from coverslip.platform.downloads import download_file
from coverslip.slides.crc32c import Crc32c, crc32c_file

_SIZE_BYTES = 768 * 1024 * 1024
_REPEATS = 7


def measure() -> Iterator[Figure]:
    """MB/s over loopback, medians of turns taken with curl, which has one connection. Signing, checksums and completion
    are in our time and not in curl's."""
    with running_platform() as client, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "slide.svs"
        _write_random(file)
        checksum = crc32c_file(file)
        ours, curl = [], []
        for turn in range(_REPEATS):
            curl.append(_curl_upload(client, file, checksum, f"curl-{turn}"))
            started = time.perf_counter()
            uploaded = client.upload(file, checksum, prefix=f"ours-{turn}")
            ours.append(time.perf_counter() - started)
            url = uploaded.download_url
            if turn < _REPEATS - 1:
                client.objects.delete(uploaded.object_key)
        yield _figure("upload", ours, curl)
        file.unlink()

        ours, curl = [], []
        with httpx.Client() as http:
            for _ in range(_REPEATS):
                curl.append(_seconds(lambda: _run("curl", "-sf", "-o", str(folder / "by-curl"), url)))
                ours.append(_seconds(lambda: download_file(http, lambda: url, folder / "by-us", checksum)))
                for name in ("by-curl", "by-us"):
                    (folder / name).unlink()
        yield _figure("download", ours, curl)


def _write_random(file: Path) -> None:
    with file.open("wb") as output:
        for _ in range(_SIZE_BYTES // (1024 * 1024)):
            output.write(os.urandom(1024 * 1024))


def _curl_upload(client: platform.Client, file: Path, checksum: str, prefix: str) -> float:
    """Seconds that curl takes for the parts alone, all over one connection."""
    request = UploadCreateRequest(name=f"{prefix}/slide.svs", size_bytes=_SIZE_BYTES, checksum_base64_crc32c=checksum)
    upload = client.objects.begin(request)
    sending: list[str] = []
    pieces: list[Path] = []
    for part in upload.missing_parts:
        content = _piece(file, part)
        piece = file.with_suffix(f".part{part.number}")
        piece.write_bytes(content)
        crc = Crc32c()
        crc.update(content)
        sending += ["-T", str(piece), client.objects.sign_part(upload.upload_id, part.number, crc.base64)]
        pieces.append(piece)
    spent = _seconds(lambda: _run("curl", "-sf", *sending))
    for piece in pieces:
        piece.unlink()
    assert not client.objects.begin(request).missing_parts
    client.api.request("DELETE", f"/api/coverslip/v1/uploads/{upload.upload_id}")
    return spent


def _piece(file: Path, part: UploadPart) -> bytes:
    with file.open("rb") as source:
        source.seek(part.offset_bytes)
        return source.read(part.size_bytes)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _figure(what: str, ours_s: list[float], curl_s: list[float]) -> Figure:
    size_mb = _SIZE_BYTES / 1e6
    ours, curl = median(ours_s), median(curl_s)
    return Figure(
        f"{what} of {size_mb:.0f} MB",
        f"{size_mb / ours:.0f} MB/s, {100 * curl / ours:.0f} %",
        ">= 80 % of curl",
        f"curl {size_mb / curl:.0f} MB/s",
    )
