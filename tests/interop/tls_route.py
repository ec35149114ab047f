"""A proxy as a hospital has it: it ends TLS for the published client's bucket host with a certificate of its own."""

import asyncio
import contextlib
import ipaddress
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from coverslip.embedded.ports import free_port


def write_certificate(host: str, folder: Path) -> tuple[Path, Path]:
    """A certificate for a host and the one of the authority that signed it, as files."""
    now = datetime.now(UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            name("Hospital"), name(subject), key.public_key(), x509.random_serial_number()
        )
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if not authority:
            names = x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    served, trusted = folder / "served.pem", folder / "authority.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    served.write_bytes(secret + certificate(host, key, authority=False).public_bytes(Encoding.PEM))
    trusted.write_bytes(certificate("Hospital", authority_key, authority=True).public_bytes(Encoding.PEM))
    return served, trusted


class TlsRoute:
    """The proxy, in a thread.

    Parameters
    ----------
    host
        The bucket's; connections to it are decrypted and go to ``platform``. Requests without TLS are passed on, all
        others are refused: there is no internet.
    served
        The file with the host's certificate and its key.
    """

    def __init__(self, host: str, served: Path, platform: str) -> None:
        self._host = host
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(served)
        self._platform = platform
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy")
        self._ready = threading.Event()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._pass_on, "127.0.0.1", self._port):
            self._ready.set()
            await self._stopping.wait()

    def __enter__(self) -> "TlsRoute":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(maxsplit=2)
            if method == b"CONNECT":
                if target.decode() != f"{self._host}:443":
                    writer.write(b"HTTP/1.1 502 No internet\r\n\r\n")
                    writer.close()
                    return
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await writer.start_tls(self._tls)
                head, target = b"", self._platform.encode()
            address = urlsplit(target.decode())
            behind, before = await asyncio.open_connection(address.hostname, address.port)
            before.write(head)
            await asyncio.gather(_pour(reader, before), _pour(behind, writer))


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
