"""The rules of runs, items, artifacts, versions and retries: pure functions, under any input."""

import base64
import itertools
import posixpath
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.contract.artifacts import ArtifactOutput, ArtifactTerminationReason
from coverslip.contract.items import ItemOutput, ItemTerminationReason
from coverslip.contract.runs import RunOutput, RunTerminationReason
from coverslip.service.artifacts.rules import ArtifactStatus, attempt_prefix, result_path, uploaded_path
from coverslip.service.catalog.rules import newest_first
from coverslip.service.identity.rules import MAX_FAILURES, is_throttled
from coverslip.service.identity.secrets import hash_secret, new_secret, new_user_code
from coverslip.service.items.rules import ItemStatus
from coverslip.service.lifecycle import TRANSITIONS, State, TransitionRefused, change
from coverslip.service.runs.checksum import metadata_checksum
from coverslip.service.runs.rules import RunStatus, Statistics
from coverslip.service.scheduling.rules import GiveUp, Retry, after_failure, due_by
from coverslip.service.storage.errors import ObjectKeyInvalid
from coverslip.service.storage.store import Area, ObjectKey, content_name

STEPS = st.sampled_from(["start", "requeue", *ItemTerminationReason])


def moved(item: ItemStatus, step: str) -> ItemStatus:
    if step == "start":
        return item.started()
    if step == "requeue":
        return item.requeued()
    return item.terminated(ItemTerminationReason(step), "A.CODE", "a message")


@given(before=st.sampled_from(State), after=st.sampled_from(State))
def test_states_change_as_the_table_says(before: State, after: State) -> None:
    if (before, after) in TRANSITIONS:
        assert change(before, after) is after
        assert before is not State.TERMINATED
    else:
        with pytest.raises(TransitionRefused):
            change(before, after)


@given(steps=st.lists(st.tuples(st.integers(0, 4), STEPS), max_size=60), items=st.integers(1, 5))
def test_a_run_follows_its_items(steps: list[tuple[int, str]], items: int) -> None:
    slides = [ItemStatus()] * items
    run = RunStatus(Statistics(pending=items))
    for number, step in steps:
        if run.state is State.TERMINATED:
            break
        before = slides[number % items]
        try:
            after = moved(before, step)
        except TransitionRefused:
            continue
        slides[number % items] = after
        run = run.item_moved(before, after)
        assert run.statistics == Statistics.of(slides)
        states = {slide.state for slide in slides}
        if State.PROCESSING in states:
            assert run.state is State.PROCESSING
        elif State.PENDING in states:
            assert run.state is State.PENDING
        else:
            assert (run.state, run.termination_reason) == (State.TERMINATED, RunTerminationReason.ALL_ITEMS_PROCESSED)
        outputs = {slide.output for slide in slides}
        assert run.output is (
            RunOutput.FULL
            if outputs == {ItemOutput.FULL}
            else RunOutput.PARTIAL
            if ItemOutput.FULL in outputs
            else RunOutput.NONE
        )
    if run.state is not State.TERMINATED:
        ended = run.cancelled(RunTerminationReason.CANCELED_BY_USER)
        finished = [s if s.state is State.TERMINATED else s.terminated(ItemTerminationReason.SKIPPED) for s in slides]
        assert ended.statistics == Statistics.of(finished)
        assert (ended.state, ended.output) == (State.TERMINATED, run.output)
        run = ended
    with pytest.raises(TransitionRefused):
        run.cancelled(RunTerminationReason.CANCELED_BY_SYSTEM)


@given(steps=st.lists(STEPS, max_size=20))
def test_an_item_that_has_ended_stays_as_it_is(steps: list[str]) -> None:
    ended = ItemStatus().terminated(ItemTerminationReason.USER_ERROR)
    for step in steps:
        with pytest.raises(TransitionRefused):
            moved(ended, step)


def test_an_artifact_is_available_only_once_it_is_published() -> None:
    published = ArtifactStatus().uploading().uploading().published()
    assert (published.termination_reason, published.output) == (
        ArtifactTerminationReason.SUCCEEDED,
        ArtifactOutput.AVAILABLE,
    )
    for reason in ArtifactTerminationReason:
        assert ArtifactStatus().given_up(reason, None, None).output is ArtifactOutput.NONE
        with pytest.raises(TransitionRefused):
            published.given_up(reason, None, None)
    with pytest.raises(TransitionRefused):
        published.uploading()
    with pytest.raises(TransitionRefused):
        published.published()


@given(
    places=st.lists(
        st.tuples(
            st.uuids(),
            st.uuids(),
            st.integers(1, 20),
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
            st.integers(0, 2**40),
            st.binary(min_size=4, max_size=4).map(lambda digest: base64.b64encode(digest).decode()),
        ),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_no_two_results_share_a_path(places: list[tuple[UUID, UUID, int, str, int, str]]) -> None:
    paths = set()
    for run_id, item_id, attempt, name, size_bytes, checksum in places:
        prefix = attempt_prefix("org", run_id, item_id, attempt)
        path = result_path(prefix, name, content_name(size_bytes, checksum))
        assert path.startswith(prefix)
        paths.add(path)
    assert len(paths) == 2


@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=2, unique=True)
)
def test_no_two_uploads_of_an_attempt_share_a_path(names: list[str]) -> None:
    first, second = (uploaded_path("org/run/item/1/", name) for name in names)
    assert first != second


IDENTIFIER = st.from_regex(r"\A(0|[1-9][0-9]{0,3}|[0-9]{0,2}[a-zA-Z-][0-9a-zA-Z-]{0,3})\Z")


@st.composite
def versions(draw: st.DrawFn) -> str:
    release = ".".join(str(number) for number in draw(st.tuples(*[st.integers(0, 12)] * 3)))
    pre = ".".join(draw(st.lists(IDENTIFIER, max_size=3)))
    build = ".".join(draw(st.lists(IDENTIFIER, max_size=2)))
    return release + (f"-{pre}" if pre else "") + (f"+{build}" if build else "")


def compared(one: str, other: str) -> int:
    """Section 11 of the specification, to the letter: -1, 0 or 1."""

    def parts(version: str) -> tuple[list[int], list[str]]:
        release, _, pre = version.split("+")[0].partition("-")
        return [int(number) for number in release.split(".")], pre.split(".") if pre else []

    (release_1, pre_1), (release_2, pre_2) = parts(one), parts(other)
    if release_1 != release_2:
        return 1 if release_1 > release_2 else -1
    if not pre_1 or not pre_2:
        return bool(pre_2) - bool(pre_1)
    for a, b in zip(pre_1, pre_2, strict=False):
        if a == b:
            continue
        if a.isdigit() != b.isdigit():
            return -1 if a.isdigit() else 1
        if a.isdigit():
            return 1 if int(a) > int(b) else -1
        return 1 if a > b else -1
    return (len(pre_1) > len(pre_2)) - (len(pre_1) < len(pre_2))


@given(numbers=st.lists(versions(), max_size=8))
def test_the_newest_version_comes_first(numbers: list[str]) -> None:
    ordered = newest_first(numbers)
    assert sorted(ordered) == sorted(numbers)
    for newer, older in itertools.pairwise(ordered):
        assert compared(newer, older) >= 0
    assert newest_first(reversed(ordered)) == ordered


def test_the_specifications_own_example() -> None:
    pre_releases = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"]
    ascending = [*(f"1.0.0-{pre}" for pre in pre_releases), "1.0.0"]
    assert newest_first(ascending) == ascending[::-1]


@given(attempt=st.integers(1, 20), max_attempts=st.integers(1, 10), backoff_s=st.floats(0, 60))
def test_attempts_are_few_and_further_and_further_apart(attempt: int, max_attempts: int, backoff_s: float) -> None:
    step = after_failure(attempt, max_attempts=max_attempts, backoff_s=backoff_s)
    if attempt >= max_attempts:
        assert step == GiveUp()
        return
    assert isinstance(step, Retry)
    following = after_failure(attempt + 1, max_attempts=max_attempts, backoff_s=backoff_s)
    assert isinstance(following, GiveUp) or following.delay >= step.delay >= timedelta(0)


@given(submitted=st.integers(0, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC)))
def test_a_run_without_a_due_date_is_due_in_a_week(submitted: datetime) -> None:
    assert due_by(submitted, None) == submitted + timedelta(days=7)
    assert due_by(submitted, submitted + timedelta(hours=1)) == submitted + timedelta(hours=1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=10,
)


@given(metadata=st.dictionaries(st.text(), JSON, max_size=4), other=st.dictionaries(st.text(), JSON, max_size=4))
def test_a_checksum_tells_values_apart_and_not_the_order_of_keys(
    metadata: dict[str, object], other: dict[str, object]
) -> None:
    assert metadata_checksum(dict(reversed(metadata.items()))) == metadata_checksum(metadata)
    if metadata != other:
        assert metadata_checksum(metadata) != metadata_checksum(other)
    assert metadata_checksum(None) is None


@given(path=st.text(max_size=40) | st.from_regex(r"\A[a./\\-]{0,12}\Z"))
def test_a_key_never_leads_out_of_its_area(path: str) -> None:
    try:
        key = ObjectKey(Area.INPUTS, path)
    except ObjectKeyInvalid:
        return
    assert posixpath.normpath(f"/area/{key.path}") == f"/area/{key.path}"
    assert "\x00" not in key.path


def test_secrets_and_codes() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert all(len(code) == 9 and not set(code) & set("AEIOUY01") for code in (new_user_code() for _ in range(50)))
    assert hash_secret("a") != hash_secret("b")
    assert [is_throttled(number) for number in (0, MAX_FAILURES - 1, MAX_FAILURES)] == [False, False, True]
