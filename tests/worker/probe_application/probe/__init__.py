"""An application for tests: the input's metadata names, as ``behave``, one of the functions below."""

import contextlib
import ctypes
import json
import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from importlib.resources import files
from pathlib import Path

from coverslip.applications.errors import UserError
from coverslip.applications.protocol import Item, Outputs, Progress

MANIFEST = files(__name__) / "manifest.json"
MIB = 1024 * 1024


def process(item: Item, outputs: Outputs, progress: Progress) -> None:
    behave = item.inputs["slide"].metadata["behave"]
    globals()[behave](item, outputs, progress)


def succeed(item: Item, outputs: Outputs, progress: Progress) -> None:
    slide = item.inputs["slide"]
    progress("counting", 0.25)
    time.sleep(slide.metadata.get("delay_s", 0))
    report = outputs.directory / "report.txt"
    report.write_text(f"{item.external_id}: {slide.path.stat().st_size} bytes")
    outputs.write("report", report, {"media_type": "text/plain"})
    for number in range(slide.metadata.get("more", 0)):
        path = outputs.directory / f"more-{number}"
        path.write_bytes(bytes([number]) * slide.metadata["more_bytes"])
        outputs.write(f"more-{number}", path, {})
    progress("writing", 1)


def blame(item: Item, outputs: Outputs, progress: Progress) -> None:
    raise UserError("INPUT.NO_TISSUE", "There is no tissue {at all}\x00 on this slide.")


def fail(item: Item, outputs: Outputs, progress: Progress) -> None:
    progress("failing\x00\ud800", float("nan"))
    raise ValueError("no\x00 luck \ud800 {really}")


def leave(item: Item, outputs: Outputs, progress: Progress) -> None:
    sys.exit(item.inputs["slide"].metadata["code"])


def leave_at_once(item: Item, outputs: Outputs, progress: Progress) -> None:
    os._exit(0)


def leave_a_thread(item: Item, outputs: Outputs, progress: Progress) -> None:
    threading.Thread(target=time.sleep, args=(3600,)).start()


def leave_half_a_message(item: Item, outputs: Outputs, progress: Progress) -> None:
    os.write(channel(), b'{"kind": "comple')
    os.kill(os.getpid(), signal.SIGKILL)


def send_nonsense(item: Item, outputs: Outputs, progress: Progress) -> None:
    os.write(channel(), b'{"kind": "progress", "stage": "\\ud800", "fraction": 7}\n')
    time.sleep(3600)


def channel() -> int:
    """The pipe to the worker: the only one but the log."""
    log = str(Path("/proc/self/fd/2").readlink())
    return next(int(number) for number, target in descriptors().items() if target.startswith("pipe") and target != log)


def descriptors() -> dict[str, str]:
    """What this process holds open."""
    found = {}
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that reads this folder
            found[link.name] = str(link.readlink())
    return found


def crash(item: Item, outputs: Outputs, progress: Progress) -> None:
    progress("reading", 0.5)
    print("about to crash")
    ctypes.string_at(0)


def wait(item: Item, outputs: Outputs, progress: Progress) -> None:
    """For ever, with a child and a daemon of its own, deaf to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    marks = {"application": os.getpid(), "child": child.pid, "daemon": _daemon(outputs.directory)}
    mark = item.inputs["slide"].metadata.get("mark")
    if mark:
        Path(mark).write_text(json.dumps(marks))
    (outputs.directory / "pids.json").write_text(json.dumps(marks))
    progress("waiting", 0.5)
    while True:
        time.sleep(3600)


def stop_everything(item: Item, outputs: Outputs, progress: Progress) -> None:
    """As somebody does who debugs, or a batch system that has to make room."""
    daemon = _daemon(outputs.directory)
    (outputs.directory / "pids.json").write_text(json.dumps({"application": os.getpid(), "daemon": daemon}))
    progress("stopping", 0.5)
    os.kill(daemon, signal.SIGSTOP)
    os.killpg(0, signal.SIGSTOP)


def leave_a_daemon(item: Item, outputs: Outputs, progress: Progress) -> None:
    pids = json.dumps({"daemon": _daemon(outputs.directory)})
    (outputs.directory / "pids.json").write_text(pids)
    mark = item.inputs["slide"].metadata.get("mark")
    if mark:
        Path(mark).write_text(pids)


def _daemon(folder: Path) -> int:
    """Start a process that has detached itself in every way there is, but for the pipes it holds open."""
    middle = os.fork()
    if middle == 0:
        os.setsid()
        last = os.fork()
        if last:
            (folder / "daemon.pid").write_text(str(last))
            os._exit(0)
        os.chdir("/")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while True:
            time.sleep(3600)
    os.waitpid(middle, 0)
    return int((folder / "daemon.pid").read_text())


def take_memory(item: Item, outputs: Outputs, progress: Progress) -> None:
    progress("growing", 0)
    taken = bytearray(item.inputs["slide"].metadata["mib"] * MIB)
    time.sleep(3600)
    print(len(taken))


def take_memory_in_a_child(item: Item, outputs: Outputs, progress: Progress) -> None:
    mib = item.inputs["slide"].metadata["mib"]
    subprocess.run([sys.executable, "-c", f"import time; taken = bytearray({mib} << 20); time.sleep(3600)"], check=True)


def share_memory(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Much that children share and a mapped file, but little memory of its own."""
    taken = bytearray(item.inputs["slide"].metadata["mib"] * MIB)
    path = outputs.directory / "mapped"
    with path.open("wb") as file:
        file.truncate(len(taken))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        touched = sum(mapped[offset] for offset in range(0, len(mapped), 4096))
        children = [os.fork() for _ in range(3)]
        if 0 in children:
            time.sleep(1.5)
            os._exit(touched)
        for child in children:
            os.waitpid(child, 0)


def chatter(item: Item, outputs: Outputs, progress: Progress) -> None:
    for _ in range(4):
        os.write(1, b"\x00\xff\xfe" * 1_000_000)
        os.write(2, b"out of \x00 order \xf0\x9f\n" * 100_000)
    print("the \ud800 end")


def close_everything(item: Item, outputs: Outputs, progress: Progress) -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()
    for number in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.close(number)
    os.open(os.devnull, os.O_RDWR)
    progress("done", 1)


def flood(item: Item, outputs: Outputs, progress: Progress) -> None:
    for number in range(100_000):
        progress("flooding", number / 100_000)


def tell(item: Item, outputs: Outputs, progress: Progress) -> None:
    """Everything that this process can see of its worker."""
    seen = {
        "environ": Path("/proc/self/environ").read_bytes().decode().split("\x00"),
        "descriptors": list(descriptors().values()),
        "arguments": Path("/proc/self/cmdline").read_bytes().decode(),
        "core_limit": Path("/proc/self/limits").read_text(),
        "path": sys.path,
    }
    report = outputs.directory / "report.txt"
    report.write_text(json.dumps(seen))
    outputs.write("report", report, {})


def publish_foreign_file(item: Item, outputs: Outputs, progress: Progress) -> None:
    outputs.write("report", Path(item.inputs["slide"].metadata["file"]), {})
    time.sleep(3600)


def publish_and_wait(item: Item, outputs: Outputs, progress: Progress) -> None:
    succeed(item, outputs, progress)
    time.sleep(3600)


def publish_link(item: Item, outputs: Outputs, progress: Progress) -> None:
    link = outputs.directory / "link"
    link.symlink_to(item.inputs["slide"].metadata["file"])
    publish_relative(item, outputs, progress, "outputs/link")


def publish_relative(item: Item, outputs: Outputs, progress: Progress, path: str = "outputs/../input-0") -> None:
    outputs.write("report", Path(path), {})
    time.sleep(3600)


def publish_wrong_metadata(item: Item, outputs: Outputs, progress: Progress) -> None:
    outputs.write("report", outputs.directory / "x", {"value": float("nan")})


def fill_disk(item: Item, outputs: Outputs, progress: Progress) -> None:
    (outputs.directory / "x").write_bytes(bytes(item.inputs["slide"].metadata["mib"] * MIB))
