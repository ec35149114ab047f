"""The parent of an application's process, which lets nothing of it outlive the item.

An engine starts this file with the worker's import path as its argument, and the entrance of a control group for the
application, which is empty if there is none. The job comes on standard input, and when
that ends, the worker is gone or wants the application ended. Whatever processes the application started, also those
that detached themselves, are then children of the keeper (on Linux), and are killed. It ends as the application ended.

A worker that hangs can end nothing. So it touches a file in the working directory as long as it works, and when that
has not changed for long, the application is ended as well.

The keeper is not the worker's child but its grandchild: a process of Ray kills its children when it ends, and would
leave theirs to nobody.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time

# What the application started may end by itself for so long; Python's own helpers free shared memory in that time.
_GRACE_S = 0.3
_POLL_S = 0.01

SIGN_OF_LIFE = "worker-works"
"""The file that the worker touches."""

SILENCE_S = 30
"""How long a worker may be silent; heartbeats of a lease come more often."""

_LOOK_S = 1.0

# From linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Run one job, and end as its application ended."""
    # The application finds the packages that the worker finds, though it knows none of its variables.
    sys.path[:] = json.loads(sys.argv.pop(1))
    if entrance := sys.argv.pop(1):
        with open(entrance, "w") as file:  # noqa: PTH123
            file.write("0")
    if sys.platform == "win32":
        _process()
    else:
        _keep()


def _process() -> None:
    from coverslip.worker.engines.child import process_job

    process_job()


if sys.platform != "win32":
    import resource

    def _keep() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the memory of a crashed application is no help, but large
        child = os.fork()
        if child:
            _ignore_signals()
            _end_like(os.waitpid(child, 0)[1])
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        keeper = os.getpid()
        application = os.fork()
        if application == 0:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == keeper:
                _prefer_to_be_killed()
                _process()
            return
        _ignore_signals()
        status = _await_end(application)
        _end_others()
        _end_like(status)

    def _ignore_signals() -> None:
        """Sent to all of a session, they end the application; its parents follow."""
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _prctl(option: int, argument: int) -> None:
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)

    def _prefer_to_be_killed() -> None:
        """Of all processes, a machine without memory shall kill the application, not its worker."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
                file.write("500")

    def _await_end(application: int) -> int:
        """Wait until the application ends, or end it when standard input ends or the worker hangs; its wait status."""
        changed, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        poll = select.poll()
        poll.register(0, 0)  # reports nothing but the end: what is there to read is for the application
        poll.register(changed, select.POLLIN)
        worker = _Worker()
        while True:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == application:
                return status
            if ended:
                continue
            ready = {descriptor for descriptor, _ in poll.poll(1000 * _LOOK_S)}
            if 0 in ready or worker.hangs():
                os.kill(application, signal.SIGKILL)
                return os.waitpid(application, 0)[1]
            if changed in ready:
                os.read(changed, 4096)

    class _Worker:
        """Looks now and then whether the worker has touched its file."""

        def __init__(self) -> None:
            self._touched_at: int | None = None
            self._looked_at = time.monotonic()
            self._silence_s = 0.0

        def hangs(self) -> bool:
            """Whether it has been silent for too long."""
            now = time.monotonic()
            if now - self._looked_at >= _LOOK_S:
                # Looks are counted: the time in which all of this machine was suspended is nobody's silence.
                self._looked_at = now
                self._silence_s += _LOOK_S
                with contextlib.suppress(OSError):  # the application may have removed it; the worker makes it anew
                    touched_at = os.stat(SIGN_OF_LIFE).st_mtime_ns  # noqa: PTH116 - pathlib would start slowly
                    if touched_at != self._touched_at:
                        self._touched_at, self._silence_s = touched_at, 0.0
            return self._silence_s >= SILENCE_S

    def _end_others() -> None:
        """Wait a moment for all other children, then kill them; theirs become ours, and are next."""
        patience_ends = time.monotonic() + _GRACE_S
        while True:
            try:
                ended, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if ended:
                continue
            if time.monotonic() > patience_ends:
                _kill_children()
            time.sleep(_POLL_S)

    def _kill_children() -> None:
        import psutil

        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def _end_like(status: int) -> None:
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number != signal.SIGKILL:
                signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
