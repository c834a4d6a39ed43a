"""No two objects of ours ever have one name, and a name is read back as what it was made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api import names
from agentjobs.api.event import Event
from agentjobs.core import naming, timestamps
from tests.support.decisions import NOW, observed

PARTS: Final = st.sampled_from(
    [
        "a",
        "b",
        "0",
        "1f",
        "-",
        "-e",
        "12345678",
        "packages",
        "session",
        "-e012345678",
        "-a012345678",
    ]
)
JOB_NAMES: Final = st.lists(PARTS, min_size=1, max_size=8).map(
    lambda parts: "".join(parts)[:52].strip("-") or "a"
)
DIGESTS: Final = st.binary(min_size=32, max_size=32).map(bytes.hex)
EVENTS: Final = st.builds(
    lambda number: Event(id=str(number), source="/s", type="t"), st.integers(0, 3)
)


def config_maps(job: str, digest: str) -> list[str]:
    revisions = naming.revision_name(job, digest), naming.older_revision_name(job, digest)
    return [*revisions, *map(naming.resolution_name, revisions)]


@given(JOB_NAMES, JOB_NAMES, DIGESTS, DIGESTS)
def test_two_jobs_never_name_a_config_map_or_a_claim_alike(
    one: str, other: str, first: str, second: str
) -> None:
    """Nor does a job whose name is the beginning of another's, with a suffix of ours behind it."""
    for job in (
        other,
        *config_maps(one, first),
        f"{one}-session",
        f"{one}-{first[:16]}",
        f"{one}-{first[:10]}",
    ):
        if job != one:
            assert not {*config_maps(one, first)} & {
                *config_maps(job, second),
                *config_maps(job, first),
            }
            assert naming.claim_name(one) != naming.claim_name(job)


@given(
    JOB_NAMES,
    JOB_NAMES,
    EVENTS,
    st.datetimes(min_value=NOW.replace(tzinfo=None), timezones=st.just(UTC)),
)
def test_two_jobs_never_name_a_run_alike(one: str, other: str, event: Event, start: Any) -> None:
    names_of_events = naming.runs_of_chain(one, event)
    reserved = {naming.run_of_start(one, start), *(next(names_of_events) for _ in range(3))}
    for job in (other, *reserved):
        if job != one:
            others = naming.runs_of_chain(job, event)
            assert not reserved & {
                naming.run_of_start(job, start),
                *(next(others) for _ in range(3)),
            }


@given(DIGESTS, DIGESTS)
def test_two_contents_never_have_one_revision(first: str, second: str) -> None:
    second = first[:16] + second[16:]
    assert (naming.revision_name("a", first) == naming.revision_name("a", second)) == (
        first == second
    )


@pytest.mark.parametrize("digits", ["99999999", "9" * 10, "9" * 30, "9" * 200])
def test_a_run_whose_name_looks_like_a_start_beyond_all_time_is_none(digits: str) -> None:
    found = naming.start_of(f"report-{digits}")
    assert found is None or found < timestamps.END


def test_the_start_of_a_scheduled_run_is_read_from_its_name() -> None:
    assert naming.start_of("weekly-2-29412345") == datetime(2025, 12, 3, 5, 45, tzinfo=UTC)
    assert naming.start_of("report-by-hand") is None
    assert naming.start_of("report-1234567") is None
    assert naming.start_of("report-²²²²²²²²") is None


@given(
    JOB_NAMES,
    st.datetimes(datetime(1990, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is UTC
)
def test_the_name_of_a_scheduled_run_says_its_start(job: str, start: datetime) -> None:
    minute = start.replace(second=0, microsecond=0)
    assert naming.start_of(naming.run_of_start(job, start)) == minute


def test_what_is_made_for_a_job_has_it_as_its_only_controller() -> None:
    job = observed().job
    (owner,) = naming.owned_by(job)
    assert (owner["kind"], owner["name"], owner["uid"]) == (names.JOB_KIND, "report", "uid")
    assert owner["controller"] is True
    assert "blockOwnerDeletion" not in owner, "deleting the job never waits for it"
    assert naming.labels("report") == {
        names.JOB_LABEL: "report",
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
    }
