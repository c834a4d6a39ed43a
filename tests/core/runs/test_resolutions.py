"""The first resolution of approved packages is kept, once, and later runs install from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentjobs.core import naming
from agentjobs.core.approval.in_force import current_content, in_force
from agentjobs.core.approval.revisions import left_over
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.runner.installer import (
    Resolution,
)
from agentjobs.core.runs import resolutions
from agentjobs.core.runs.cases import cases
from agentjobs.core.views.approvals import RevisionView
from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.views.pod import PodView
from agentjobs.core.views.spec_hash import spec_hash
from agentjobs.core.workload import install, records
from tests.support.decisions import NOW
from tests.support.packages import (
    CHOSEN,
    FOUND,
    HASH,
    PINS,
    REQUIREMENTS,
    mounts,
    pod,
    with_run,
)
from tests.support.workload import timed


def kept(seen: Observed) -> list[dict[str, Any]]:
    return [dict(write.body or {}) for write in resolutions.writes(seen, in_force(seen))]


def test_the_first_resolution_is_kept_and_protected_like_the_revision() -> None:
    seen = with_run()
    (body,) = kept(seen)
    revision = records.revision(seen.job, current_content(seen.job))
    assert body["metadata"] == {
        **revision["metadata"],
        "name": revision["metadata"]["name"] + "-packages",
    }
    assert (body["immutable"], body["data"]) == (True, {"requirements.txt": REQUIREMENTS})
    assert [
        write.name for write in decide(seen, CHOSEN, NOW).writes if write.kind == "revision"
    ] == [
        revision["metadata"]["name"],
        body["metadata"]["name"],
    ]


def test_later_runs_install_from_what_is_kept_and_nothing_is_kept_twice() -> None:
    seen = with_run()
    name = naming.revision_name("report", current_content(seen.job).digest)
    later = replace(seen, resolutions=frozenset({name}))
    assert kept(later) == []
    spec = pod(PINS, kept=True)
    assert mounts(spec["initContainers"][0])["resolution"] == (install.KEPT_DIRECTORY, True)
    (volume,) = (volume for volume in spec["volumes"] if volume["name"] == "resolution")
    assert volume["configMap"]["name"].endswith("-packages")
    plan = decide(replace(later, cron_job=_as_written(later, kept=False)), CHOSEN, NOW)
    assert ("replace", "cronjob") in [(write.verb, write.kind) for write in plan.writes]
    same = decide(replace(later, cron_job=_as_written(later, kept=True)), CHOSEN, NOW)
    assert ("replace", "cronjob") not in [(write.verb, write.kind) for write in same.writes]


def _as_written(seen: Observed, *, kept: bool) -> Any:
    body = timed(seen.job, current_content(seen.job), CHOSEN, kept=kept)
    body["metadata"] |= {"uid": "cron", "resourceVersion": "9"}
    assert cron_job_view(body).spec_hash == spec_hash(body["spec"])
    return cron_job_view(body)


@pytest.mark.parametrize(
    "found",
    [
        Resolution(FOUND.resolved, ""),
        Resolution(("six==1.17.0",), f"six==1.17.0 \\\n    --hash=sha256:{HASH}\n"),
        Resolution(("requests==2.32.3", "six==1.17.1"), "..."),
    ],
    ids=["installed from what is kept", "lacks a package", "another version"],
)
def test_what_is_no_first_resolution_of_the_approved_packages_is_not_kept(
    found: Resolution,
) -> None:
    assert kept(with_run(installed={"now": found})) == []


def to_read(seen: Observed) -> tuple[PodView, ...]:
    return resolutions.to_read(seen, cases(seen))


def test_an_installers_log_is_read_until_kept_and_once_for_the_record() -> None:
    seen = with_run()
    running = tuple(
        replace(each, running=True, started="2026-11-22T08:00:00Z") for each in seen.pods
    )
    assert [each.run for each in to_read(replace(seen, pods=running))] == ["now"]
    name = naming.revision_name("report", current_content(seen.job).digest)
    known = replace(seen, resolutions=frozenset({name}))
    assert to_read(replace(known, pods=running)) == ()
    over = tuple(
        replace(each, phase="Succeeded", exit_code=0, started="2026-11-22T08:00:00Z")
        for each in seen.pods
    )
    assert [each.run for each in to_read(replace(known, pods=over))] == ["now"]
    failed = tuple(replace(each, install_exit=1) for each in over)
    assert to_read(replace(known, pods=failed)) == ()


def test_what_was_kept_goes_with_its_revision_when_nothing_needs_it() -> None:
    seen = with_run()
    digest = current_content(seen.job).digest
    name = naming.resolution_name(naming.revision_name("report", digest))
    needed = RevisionView(name, "report", "one", seen.job.uid, digest)
    other = RevisionView(
        naming.resolution_name(naming.revision_name("report", HASH)),
        "report",
        "two",
        seen.job.uid,
        HASH,
    )
    strange = replace(other, name="report-0000000000-other", uid="three")
    assert left_over(replace(seen, kept=(needed, other, strange)), in_force(seen)) == (other,)
