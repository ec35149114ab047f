"""What happens in a round, drawn from its seed: the same seed gives the same plan."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

ITEMS = 200
ORGANIZATIONS = 2
SLIDE_BYTES = (2_000, 200_000, 9_000_000)
"""Of the slides that items are made of; the worker fetches the last one in two ranges."""

_SLIDE_WEIGHTS = (45, 45, 10)
_FEWEST_ITEMS = 15
_TWINS = 4
_SUBMITTED_WITHIN_S = 6.0


class Behaviour(StrEnum):
    """What comes of an item."""

    SUCCEED = "succeed"
    TWIN = "twin"
    """It succeeds too, with the results of another one of the organization, if there is one already."""
    BLAME = "blame"
    """The application says that the slide is at fault."""
    DAMAGED = "damaged"
    """The slide has another checksum than was stated."""
    CRASH_ONCE = "crash once"
    CRASH = "crash"
    """In every attempt."""
    HANG = "hang"
    """Until the run is cancelled; SIGTERM changes nothing."""


class Ending(StrEnum):
    """How a run is meant to end."""

    PROCESSED = "processed"
    CANCELLED = "cancelled"
    OVERDUE = "overdue"


class Fault(StrEnum):
    """What befalls the platform."""

    APPLICATION = "application"
    WORKER = "worker"
    SERVICE = "service"
    POSTMASTER = "postmaster"
    BACKEND = "backend"
    RAY_NODE = "Ray node"
    """Only where workers use Ray."""
    PAUSED_WORKER = "paused worker"
    PAUSED_SERVICE = "paused service"
    CUT = "connections cut"
    NETWORK = "network away"
    ANSWERS = "answers lost"
    STORE = "store away"
    STORE_DISK = "store disk full"
    SCRATCH_DISK = "scratch disk full"


KILLS = (Fault.APPLICATION, Fault.WORKER, Fault.SERVICE, Fault.POSTMASTER, Fault.BACKEND, Fault.RAY_NODE)
"""The victims of a SIGKILL."""

_OF_A_ROUND = (
    *(fault for fault in Fault if fault is not Fault.RAY_NODE),
    *(Fault.APPLICATION,) * 3,
    *(Fault.WORKER, Fault.SERVICE, Fault.BACKEND, Fault.CUT, Fault.ANSWERS),
)
_ON_RAY = (Fault.RAY_NODE,) * 3
_PAUSE_S = (0.3, 2.7)
_LASTING_S = {
    Fault.RAY_NODE: (2.0, 5.0),
    Fault.PAUSED_WORKER: (3.5, 6.0),
    Fault.PAUSED_SERVICE: (1.0, 4.0),
    Fault.NETWORK: (0.3, 2.0),
    Fault.ANSWERS: (0.5, 1.5),
    Fault.STORE: (0.5, 2.5),
    Fault.STORE_DISK: (0.5, 2.0),
    Fault.SCRATCH_DISK: (0.5, 2.5),
}


@dataclass(frozen=True)
class PlannedItem:
    """``slide`` is an index of `SLIDE_BYTES`."""

    external_id: str
    behaviour: Behaviour
    slide: int

    @property
    def sample(self) -> str:
        """What its artifacts are made of, beside the slide."""
        return "twins" if self.behaviour is Behaviour.TWIN else self.external_id


@dataclass(frozen=True)
class PlannedRun:
    """A run of one of the organizations.

    Attributes
    ----------
    submit_at_s
        After the beginning of the round.
    end_after_s
        After its submission it is cancelled, or its deadline passes, if it is meant to end so.
    """

    name: str
    organization: int
    ending: Ending
    submit_at_s: float
    end_after_s: float
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True)
class Strike:
    """A fault at a moment after the beginning of the round, lasting a while if it is not over at once."""

    at_s: float
    fault: Fault
    lasting_s: float


@dataclass(frozen=True)
class Plan:
    """A round."""

    seed: int
    runs: tuple[PlannedRun, ...]
    strikes: tuple[Strike, ...]


def plan_of(seed: int, *, on_ray: bool = False) -> Plan:
    """The plan of a seed; ``on_ray``, nodes of a Ray cluster are struck too."""
    dice = random.Random(seed)
    faults = _OF_A_ROUND + (_ON_RAY if on_ray else ())
    return Plan(seed, tuple(_runs(seed, dice)), tuple(_strikes(faults, dice)))


def _runs(seed: int, dice: random.Random) -> Iterator[PlannedRun]:
    endings = [Ending.PROCESSED] * 4 + [Ending.CANCELLED, Ending.OVERDUE]
    dice.shuffle(endings)
    first_processed = endings.index(Ending.PROCESSED)
    sizes = _parts(ITEMS, len(endings), dice)
    for number, (ending, size) in enumerate(zip(endings, sizes, strict=True)):
        name = f"round-{seed}-run-{number}"
        yield PlannedRun(
            name=name,
            organization=number % ORGANIZATIONS,
            ending=ending,
            submit_at_s=dice.uniform(0, _SUBMITTED_WITHIN_S),
            end_after_s=dice.uniform(3, 9) if ending is Ending.CANCELLED else dice.uniform(8, 14),
            items=tuple(_items(name, size, _misbehaviours(ending, is_first=number == first_processed), dice)),
        )


def _parts(total: int, count: int, dice: random.Random) -> list[int]:
    """``count`` numbers that are ``total`` together."""
    spare = total - count * _FEWEST_ITEMS
    cuts = sorted(dice.randint(0, spare) for _ in range(count - 1))
    return [_FEWEST_ITEMS + end - begin for begin, end in zip([0, *cuts], [*cuts, spare], strict=True)]


def _misbehaviours(ending: Ending, *, is_first: bool) -> list[Behaviour]:
    """Of the items of a run that do not simply succeed. What hangs makes sure that a run does not end by itself."""
    always = [Behaviour.BLAME, Behaviour.DAMAGED, Behaviour.CRASH_ONCE] + [Behaviour.TWIN] * _TWINS
    if ending is not Ending.PROCESSED:
        return [*always, Behaviour.HANG]
    return [*always, Behaviour.CRASH] if is_first else always


def _items(run: str, size: int, misbehaviours: list[Behaviour], dice: random.Random) -> Iterator[PlannedItem]:
    behaviours = misbehaviours + [Behaviour.SUCCEED] * (size - len(misbehaviours))
    dice.shuffle(behaviours)
    slides = dice.choices(range(len(SLIDE_BYTES)), _SLIDE_WEIGHTS, k=size)
    for number, (behaviour, slide) in enumerate(zip(behaviours, slides, strict=True)):
        yield PlannedItem(f"{run}/slide-{number}.svs", behaviour, slide)


def _strikes(faults: Sequence[Fault], dice: random.Random) -> Iterator[Strike]:
    at_s = 0.0
    for fault in dice.sample(faults, len(faults)):
        at_s += dice.uniform(*_PAUSE_S)
        yield Strike(at_s, fault, dice.uniform(*_LASTING_S[fault]) if fault in _LASTING_S else 0.0)
