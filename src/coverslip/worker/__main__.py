"""``coverslip worker``, ``python -m coverslip.worker``: a worker, until it is told to stop."""

import argparse
import asyncio
import contextlib
import signal
import sys

from coverslip.contract.errors import CoverslipError
from coverslip.models.chosen import chosen_identities
from coverslip.models.errors import ModelError
from coverslip.telemetry.logs import configure_logs
from coverslip.telemetry.traces import start_tracing
from coverslip.worker.errors import WorkerSettingsInvalid
from coverslip.worker.event_loop import WorkerLoop
from coverslip.worker.loop import work_for_ever
from coverslip.worker.settings import EngineName, WorkerSettings, load_settings

_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


async def _run(settings: WorkerSettings) -> None:
    task = asyncio.create_task(work_for_ever(settings))
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def parser() -> argparse.ArgumentParser:
    """The command line; what is given here wins over the environment."""
    worker = argparse.ArgumentParser(
        prog="coverslip worker", description="Lease items and process them. All else is set by COVERSLIP_... variables."
    )
    worker.add_argument(
        "--engine",
        choices=[name.value for name in EngineName],
        help="where items are processed (default: COVERSLIP_ENGINE, else local)",
    )
    worker.add_argument(
        "--ray-address", metavar="HOST:PORT", help="head of the Ray cluster (default: COVERSLIP_RAY_ADDRESS, else auto)"
    )
    return worker


def main(arguments: list[str] | None = None) -> int:
    """Run the worker; returns its exit code."""
    given = {name: value for name, value in vars(parser().parse_args(arguments)).items() if value is not None}
    try:
        settings = load_settings(**given)
        chosen_identities(settings)
        configure_logs(settings.log_format, settings.log_level)
        start_tracing("coverslip-worker")
        with asyncio.Runner(loop_factory=WorkerLoop) as runner:
            runner.run(_run(settings))
    except CoverslipError as error:
        print(error, file=sys.stderr)
        return _CONFIGURATION if isinstance(error, WorkerSettingsInvalid | ModelError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
