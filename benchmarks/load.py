"""How many requests a second a server answers, asked over connections that stay open."""

import socket
import threading
import time

_CONNECTIONS = 4
_SECONDS = 5.0


def requests_per_second(host: str, port: int, path: str, headers: dict[str, str]) -> float:
    """Ask for ``path`` over four connections for five seconds, as fast as answers come.

    The request is written once and only the length of the answer is read, so that the client costs little beside the
    server on the same machine.
    """
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{name}: {value}" for name, value in headers.items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    counts = [0] * _CONNECTIONS
    end = time.perf_counter() + _SECONDS

    def ask(number: int) -> None:
        with socket.create_connection((host, port)) as connection, connection.makefile("rb") as answers:
            while time.perf_counter() < end:
                connection.sendall(request)
                _read_answer(answers)
                counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(_CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def _read_answer(answers: "socket.SocketIO") -> None:
    status = answers.readline()
    assert b" 200 " in status, status
    length = 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    assert len(answers.read(length)) == length
