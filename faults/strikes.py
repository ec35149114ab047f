"""How each fault is done to the platform, and undone."""

import random
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psutil

from faults.plan import Fault
from faults.stage import Stage

Undo = Callable[[], None]


class NoVictim(Exception):
    """What was to be struck does not run just now."""


def strike(fault: Fault, stage: Stage, dice: random.Random) -> Undo:
    """Do it; what comes back ends it, where it does not end by itself.

    Raises
    ------
    NoVictim
    """
    match fault:
        case Fault.CUT:
            stage.proxy.cut()
        case Fault.NETWORK:
            stage.proxy.refuses = True
            stage.proxy.cut()
            return partial(setattr, stage.proxy, "refuses", False)
        case Fault.ANSWERS:
            stage.proxy.loses_answers = True
            return partial(setattr, stage.proxy, "loses_answers", False)
        case Fault.STORE:
            stage.proxy.store_is_away = True
            return partial(setattr, stage.proxy, "store_is_away", False)
        case Fault.STORE_DISK:
            return _let_write_nothing(_one(Fault.SERVICE, stage, dice))
        case Fault.SCRATCH_DISK if stage.scratch_disk.can_fill:
            stage.scratch_disk.fill()
            return stage.scratch_disk.free
        case Fault.SCRATCH_DISK:
            return _let_write_nothing(_one(Fault.WORKER, stage, dice))
        case Fault.RAY_NODE:
            if stage.ray is None or not stage.ray.nodes:
                raise NoVictim
            return stage.ray.strike(dice)
        case Fault.PAUSED_WORKER | Fault.PAUSED_SERVICE:
            kind = Fault.WORKER if fault is Fault.PAUSED_WORKER else Fault.SERVICE
            paused = _one(kind, stage, dice)
            _send(paused, signal.SIGSTOP)
            return partial(_send, paused, signal.SIGCONT)
        case _:
            _send(_one(fault, stage, dice), signal.SIGKILL)
    return lambda: None


# Whoever adds a victim adds it to `Fault`, and here: what its command looks like.
_COMMANDS: dict[Fault, Callable[[list[str]], bool]] = {
    Fault.APPLICATION: lambda command: any(part.endswith("keeper.py") for part in command),
    Fault.WORKER: lambda command: "coverslip.worker" in command,
    Fault.SERVICE: lambda command: "coverslip.service" in command,
    Fault.POSTMASTER: lambda command: "-D" in command and command[0].endswith("postgres"),
    Fault.BACKEND: lambda command: command[0].startswith("postgres: "),
}


def _one(fault: Fault, stage: Stage, dice: random.Random) -> psutil.Process:
    found = []
    for process in stage.processes():
        with suppress(psutil.Error):
            command = process.cmdline()
            if command and _COMMANDS[fault](command):
                found.append(process)
    if not found:
        raise NoVictim
    return dice.choice(found)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _let_write_nothing(process: psutil.Process) -> Undo:
    """Make every write of a process to a file fail, as on a disk that is full or has gone."""
    unlimited = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (0, unlimited[1]))

    def undo() -> None:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(resource.RLIMIT_FSIZE, unlimited)

    return undo
