"""Before something is stopped, refused or given up for lack of it, the API server is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agentjobs.api import names
from agentjobs.core.approval.in_force import current_content
from agentjobs.core.content.sources import Reference
from agentjobs.core.doubts import Look, assess, doubts
from agentjobs.core.observed import Observed
from agentjobs.core.views.run import RunView, run_view
from tests.support import manifests as written
from tests.support.decisions import NOW, approved, cron_job, observed, settled
from tests.support.endings import JOB, POD
from tests.support.packages import asking


def asked(seen: Observed) -> set[tuple[str, str]]:
    return {(look.subject, look.name) for look in doubts(assess(seen), NOW)}


def in_force(seen: Observed) -> Observed:
    """As the status says it."""
    digest = approved(seen).approvals[0].digest
    approval = {"state": "Approved", "digest": digest}
    return replace(
        settled(seen),
        job=replace(seen.job, status=seen.job.status.model_validate({"approval": approval})),
    )


def run(**metadata: Any) -> RunView:
    body = written.run("now", "report")
    fixed = {
        "namespace": "ns",
        "name": "now",
        "uid": "run",
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-22T07:00:00Z",
    }
    return run_view(body | {"metadata": fixed | metadata})


ADOPTED = {
    "annotations": {names.STARTED_AS_ANNOTATION: JOB.uid},
    "ownerReferences": [{"uid": "uid", "controller": True}],
}


def test_where_everything_is_in_place_nothing_is_asked() -> None:
    assert asked(in_force(observed())) == set()
    assert asked(observed()) == set(), "nobody has approved it, and nobody wants it to run"


def test_an_approval_is_looked_for_before_what_it_allowed_ends() -> None:
    seen = in_force(observed())
    assert asked(replace(seen, approvals=())) == {("approvals", "")}
    never = replace(observed(), cron_job=cron_job(observed(), suspended=True))
    assert asked(never) == {("batchjobs", "")}, "only the CronJob is to go"


def test_a_start_by_hand_that_nothing_approves_asks_for_approvals() -> None:
    assert asked(replace(observed(), runs=(run(),))) == {("approvals", "")}


def test_a_package_is_looked_for_before_what_it_allowed_ends() -> None:
    seen = in_force(asking(["six==1.17.0"]))
    assert ("packages", "") in asked(seen)


def test_a_run_that_seems_to_be_over_is_looked_at_again_with_its_pod() -> None:
    seen = in_force(observed())
    waits = replace(seen, runs=(run(),))
    assert asked(waits) == set(), "it has not begun, so nothing of it can be missing"
    begun = replace(seen, runs=(run(**ADOPTED),))
    assert asked(begun) == {("batchjob", "now"), ("pods", "now")}
    ended = replace(POD, run="now", owner_uid=JOB.uid)
    job = replace(JOB, name="now", owner_uid="cron", digest=seen.approvals[0].digest)
    assert asked(replace(begun, pods=(ended,), batch_jobs=(job,))) == set()


def test_a_job_without_a_run_is_asked_for_its_run() -> None:
    seen = in_force(observed())
    job = replace(JOB, name="now", owner_uid="cron", digest=seen.approvals[0].digest)
    assert asked(replace(seen, batch_jobs=(job,))) == {("run", "now")}


def test_a_start_that_seems_to_be_lost_is_looked_for_as_job_and_as_run() -> None:
    seen = in_force(observed())
    missed = seen.job.status.model_copy(update={"next_run_at": "2026-11-16T06:00:00Z"})
    late = replace(seen, job=replace(seen.job, status=missed))
    (name,) = {name for _, name in asked(late)}
    assert asked(late) == {("batchjob", name), ("run", name)}
    soon = missed.model_copy(update={"next_run_at": "2026-11-23T06:00:00Z"})
    assert asked(replace(seen, job=replace(seen.job, status=soon))) == set()


def test_texts_are_read_again_where_something_else_comes_into_force() -> None:
    seen = observed(script={"configMapKeyRef": {"name": "scripts", "key": "k"}})
    sources = {Reference("scripts", "k"): "print(1)\n"}
    digest = current_content(seen.job, sources).digest
    seen = approved(replace(seen, sources=sources), digest=digest)
    assert ("texts", "") in asked(seen)


def test_two_reasons_for_one_question_are_one_question() -> None:
    assert Look("pods", "now", "one reason") == Look("pods", "now", "another")
