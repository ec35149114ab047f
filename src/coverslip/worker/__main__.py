"""``python -m coverslip.worker``: a worker, until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
import sys

from coverslip.contract.errors import CoverslipError
from coverslip.worker.errors import WorkerSettingsInvalid
from coverslip.worker.event_loop import WorkerLoop
from coverslip.worker.loop import work_for_ever
from coverslip.worker.settings import WorkerSettings, load_settings

_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


async def _run(settings: WorkerSettings) -> None:
    task = asyncio.create_task(work_for_ever(settings))
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> int:
    """Run the worker; returns its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # httpx would log the address of every request, and addresses of slides are secrets.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with asyncio.Runner(loop_factory=WorkerLoop) as runner:
            runner.run(_run(load_settings()))
    except CoverslipError as error:
        print(error, file=sys.stderr)
        return _CONFIGURATION if isinstance(error, WorkerSettingsInvalid) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
