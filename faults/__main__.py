"""Plays rounds and writes down what came of them: ``python -m faults --help``."""

import argparse
import logging
import shutil
import sys
import tempfile
from pathlib import Path

from coverslip.embedded.home import home_at
from coverslip.embedded.postgres.place import system_folder_of
from faults import ledger
from faults.plan import plan_of
from faults.round import Outcome, play
from faults.stage import open_stage


def main() -> int:
    """Play the rounds on one platform; 0 if all were clean. The first that is not ends them, and its traces stay."""
    arguments = _arguments()
    # That something has died and was restarted is no news here.
    logging.getLogger("coverslip.embedded").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="coverslip-faults-"))
    entries: list[ledger.Entry] = []
    print(f"{arguments.rounds} rounds from seed {arguments.seed}, in {folder}", flush=True)
    with open_stage(folder, on_ray=arguments.ray) as stage:
        if not stage.scratch_disk.can_fill:
            print("No right to mount a small scratch disk: a worker that may not write stands for a full one.")
        for seed in range(arguments.seed, arguments.seed + arguments.rounds):
            outcome = play(stage, plan_of(seed, on_ray=arguments.ray))
            _report(outcome)
            entries.append(ledger.entry_of(outcome))
            if arguments.record:
                ledger.record(entries[-1])
            if outcome.findings:
                break
    clean = all(entry["verdict"] == "clean" for entry in entries)
    if clean:
        shutil.rmtree(system_folder_of(home_at(folder / "home")), ignore_errors=True)
        shutil.rmtree(folder)
    else:
        again = f"make faults ROUNDS=1 SEED={entries[-1]['seed']}{' RAY=1' if arguments.ray else ''}"
        print(f"Everything is kept in {folder}. To repeat it: {again}")
    print(ledger.total(entries))
    return 0 if clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description="Play rounds of work under faults")
    parser.add_argument("--rounds", type=int, default=5, help="how many (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=ledger.next_seed(), help="of the first; the next ones follow (default: %(default)s)"
    )
    parser.add_argument("--ray", action="store_true", help="have a Ray cluster too, whose nodes are killed as well")
    parser.add_argument(
        "--no-record", dest="record", action="store_false", help="write nothing into the ledger and the pages"
    )
    return parser.parse_args()


def _report(outcome: Outcome) -> None:
    struck = ", ".join(f"{fault} {count}" for fault, count in outcome.struck.items())
    print(
        f"seed {outcome.plan.seed}: {outcome.work_s:.0f} s of work, {outcome.audit_s:.0f} s of audit; {struck}",
        flush=True,
    )
    for error, count in sorted(outcome.tracebacks.items()):
        print(f"  logged {count} x {error}")
    for finding in outcome.findings:
        print(f"  {finding.kind.upper()}: {finding.evidence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
