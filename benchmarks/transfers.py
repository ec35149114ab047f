"""Uploading and downloading one large file, against curl on the same path."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from benchmarks.figure import Figure
from benchmarks.running import running_platform
from coverslip import platform
from coverslip.contract.uploads import UploadCreateRequest, UploadPart
from coverslip.platform.downloads import download_file
from coverslip.slides.crc32c import Crc32c, crc32c_file

_SIZE_BYTES = 768 * 1024 * 1024


def measure() -> Iterator[Figure]:
    """MB/s over loopback; signing, checksums and completion are in our time and not in curl's."""
    with running_platform() as client, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "slide.svs"
        _write_random(file)
        checksum = crc32c_file(file)
        curl = _curl_upload(client, file, checksum)
        uploaded = None

        def upload() -> None:
            nonlocal uploaded
            uploaded = client.upload(file, checksum, prefix="ours")

        yield _figure("upload", _seconds(upload), curl)
        assert uploaded is not None
        url = uploaded.download_url
        curl = _seconds(lambda: _run("curl", "-sf", "-o", f"{folder}/by-curl", url))
        with httpx.Client() as http:
            ours = _seconds(lambda: download_file(http, lambda: url, Path(folder) / "by-us", checksum))
        yield _figure("download", ours, curl)


def _write_random(file: Path) -> None:
    with file.open("wb") as output:
        for _ in range(_SIZE_BYTES // (1024 * 1024)):
            output.write(os.urandom(1024 * 1024))


def _curl_upload(client: platform.Client, file: Path, checksum: str) -> float:
    """Seconds that curl takes for the parts alone."""
    request = UploadCreateRequest(name="curl/slide.svs", size_bytes=_SIZE_BYTES, checksum_base64_crc32c=checksum)
    upload = client.objects.begin(request)
    spent = 0.0
    for part in upload.missing_parts:
        piece = file.with_suffix(".part")
        piece.write_bytes(_piece(file, part))
        crc = Crc32c()
        crc.update(piece.read_bytes())
        url = client.objects.sign_part(upload.upload_id, part.number, crc.base64)
        spent += _seconds(lambda url=url, piece=piece: _run("curl", "-sf", "-T", str(piece), url))
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


def _figure(what: str, ours_s: float, curl_s: float) -> Figure:
    size_mb = _SIZE_BYTES / 1e6
    share = 100 * curl_s / ours_s
    return Figure(
        f"{what} of {size_mb:.0f} MB",
        f"{size_mb / ours_s:.0f} MB/s, {share:.0f} %",
        ">= 80 % of curl",
        f"curl {size_mb / curl_s:.0f} MB/s",
    )
