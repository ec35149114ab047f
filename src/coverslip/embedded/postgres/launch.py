"""Become PostgreSQL: give up root's rights, ask to be stopped with the parent, and run the program.

Run as a script in a process of its own, because this must happen between fork and exec, where a parent with threads
may not run Python: `python -I -S launch.py PARENT_PID UID:GID|- PROGRAM ARGUMENT...`. Imports nothing of Coverslip.
"""

import ctypes
import os
import signal
import sys

# Linux, prctl(2): the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


def launch(parent_pid: int, user: str, argv: list[str]) -> None:
    """Replace this process by `argv`, as `user` ("uid:gid", or "-" to stay who we are).

    On Linux it then gets SIGINT (fast shutdown) when the thread of `parent_pid` that started it ends.
    """
    if user != "-":
        uid, gid = (int(number) for number in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # The folder that we were started in need not be one that this user may enter.
    os.chdir("/")
    if sys.platform == "linux":
        # After setuid, which would undo it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent_pid:
            sys.exit("the supervisor is gone")
    os.execv(argv[0], argv)  # noqa: S606 - the very purpose


if __name__ == "__main__":
    launch(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
