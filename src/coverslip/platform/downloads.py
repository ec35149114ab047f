"""Download one file: resumed where it stopped, checked against its checksum, never half there."""

import errno
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from coverslip.platform.connection import ATTEMPTS, reason_of, wait_s
from coverslip.platform.errors import DiskFull, DownloadDamaged, FolderUnusable, TransferCut
from coverslip.platform.problems import refusal
from coverslip.slides.crc32c import Crc32c, crc32c_file

CHUNK_BYTES = 1024 * 1024
PART_SUFFIX = ".part"
URL_MAY_HAVE_EXPIRED = frozenset({401, 403})
WORTH_ANOTHER_TRY = frozenset({408, 429, 500, 502, 503, 504}) | URL_MAY_HAVE_EXPIRED

Progress = Callable[[int, int], None]
"""Called with the bytes there so far and the bytes in all."""


class _TryAgain(Exception):
    """The attempt failed in a way that another one may mend."""


def download_file(
    http: httpx.Client,
    sign_url: Callable[[], str],
    path: Path,
    checksum_base64_crc32c: str,
    on_progress: Progress | None = None,
) -> bool:
    """Bring a file to `path`; False if the same file is there already.

    The bytes go to a file ``.part`` beside it, which an interrupted download leaves behind and the next one continues.

    Parameters
    ----------
    sign_url
        Gives a signed URL of the file; called before each attempt, since URLs expire.

    Raises
    ------
    TransferCut
        If four attempts in a row brought nothing.
    DownloadDamaged
        If the file has another checksum even after a second download from the start.
    DiskFull, FolderUnusable
    Refused
        One of its kinds, if the file cannot be had.
    """
    try:
        if path.is_file() and crc32c_file(path) == checksum_base64_crc32c:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + PART_SUFFIX)
        _bring(http, sign_url, part, checksum_base64_crc32c, on_progress or (lambda done, total: None))
        part.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path=path) from error
        raise FolderUnusable(path=path, reason=error.strerror or error) from error
    return True


def _bring(http: httpx.Client, sign_url: Callable[[], str], part: Path, expected: str, on_progress: Progress) -> None:
    fruitless = damaged = 0
    while True:
        before = _size(part)
        try:
            found = _continue(http, sign_url(), part, on_progress)
        except (_TryAgain, httpx.TransportError) as error:
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless >= ATTEMPTS:
                reason = reason_of(error) if isinstance(error, httpx.TransportError) else error
                raise TransferCut(name=part.stem, reason=reason) from error
            time.sleep(wait_s(fruitless))
            continue
        if found == expected:
            return
        # What lay there may have been the beginning of another file, so the first mismatch is no proof of damage.
        part.unlink()
        damaged += 1
        if damaged == 2:
            raise DownloadDamaged(name=part.stem, found=found, expected=expected)


def _continue(http: httpx.Client, url: str, part: Path, on_progress: Progress) -> str:
    """Fetch what is missing behind the bytes of `part`; the checksum of all of it."""
    checksum = Crc32c()
    with suppress(FileNotFoundError), part.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            checksum.update(chunk)
    offset = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    # No Authorization: the URL is its own permission, and a token is nothing for a store to see.
    with http.stream("GET", url, headers=headers, follow_redirects=True) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
            return checksum.base64
        if response.is_error:
            response.read()
            if response.status_code in WORTH_ANOTHER_TRY:
                raise _TryAgain(f"{response.status_code} {response.reason_phrase}")
            raise refusal(response)
        if offset and _start_of(response) != offset:
            offset, checksum = 0, Crc32c()
        missing = int(response.headers.get("content-length", 0))
        if shutil.disk_usage(part.parent).free < missing:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = offset
        with part.open("r+b" if offset else "wb", buffering=CHUNK_BYTES) as file:
            file.seek(offset)
            # As the bytes come: collecting them into larger pieces would lose a piece when the connection is cut.
            for chunk in response.iter_raw():
                file.write(chunk)
                checksum.update(chunk)
                done += len(chunk)
                on_progress(done, offset + missing)
    return checksum.base64


def _start_of(response: httpx.Response) -> int:
    """The first byte of a partial answer; 0 when the whole file comes."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    matched = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    return int(matched[1]) if matched else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
