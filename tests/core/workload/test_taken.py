"""What is ours is the operator's by label and owner.

What has a name that we want is compared, never taken for ours.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.api import names
from agentjobs.api.event import Event
from agentjobs.cluster.client import Json
from agentjobs.core import naming
from agentjobs.core.decide import decide
from agentjobs.core.errors import NameTaken
from agentjobs.core.plan import Kind, Write
from agentjobs.core.runs.cases import cases
from agentjobs.core.views.pod import pod_view
from agentjobs.core.views.run import run_view
from agentjobs.core.workload.taken import is_same
from agentjobs.operator.caches.cache import Cache
from agentjobs.operator.execute import Executor
from agentjobs.testing.simulation import Kubernetes
from tests.support import manifests as written
from tests.support.decisions import NOW, asked, cron_job, observed, settled, told
from tests.support.endings import JOB as BATCH_JOB
from tests.support.lives import jobs as lives
from tests.support.lives.crashes import World
from tests.support.lives.jobs import NS, nothing, step
from tests.support.lives.upgrades import an_hour_later, live
from tests.support.workload import POLICY

METADATA: Final = {
    "namespace": "ns",
    "name": "now",
    "uid": "u",
    "resourceVersion": "1",
    "creationTimestamp": "2026-03-02T08:00:00Z",
}
OF_RUN: Final = {"labels": {"agentjobs.dev/job": "report", "batch.kubernetes.io/job-name": "now"}}

# Label and owner


def test_a_cron_job_without_our_label_is_not_ours_and_neither_are_its_jobs() -> None:
    seen = settled(observed())
    forged = replace(
        seen,
        cron_job=cron_job(seen, labelled=False),
        batch_jobs=(replace(BATCH_JOB, owner_uid="cron"),),
    )
    assert forged.cron_job
    forged = replace(forged, batch_jobs=(replace(BATCH_JOB, owner_uid=forged.cron_job.uid),))
    plan = decide(forged, POLICY, NOW)
    # It is no run of ours; but it has our label and nothing approves it, so it does not go on.
    assert (cases(forged), asked(plan)) == ((), [("patch", "batchjob")])
    assert plan.writes[0].why == "stopped: ApprovalRevoked"
    assert told(plan, "Ready").reason == "NameTaken"


@pytest.mark.parametrize("known", ["started_as", "made_as"])
def test_only_the_pod_of_its_own_job_says_how_an_orphaned_run_ended(known: str) -> None:
    """What a ReplicaSet makes from a template carries whatever labels that has."""
    view = run_view({**written.run("now", "report"), "metadata": METADATA})
    run = replace(view, started_as="job") if known == "started_as" else replace(view, made_as="job")
    own = pod_view(
        {
            "metadata": {
                **METADATA,
                **OF_RUN,
                "ownerReferences": [{"uid": "job", "controller": True}],
            }
        }
    )
    other = pod_view(
        {
            "metadata": {
                **METADATA,
                **OF_RUN,
                "name": "a",
                "ownerReferences": [{"uid": "set", "controller": True}],
            }
        }
    )
    for pods in ((other, own), (own, other)):
        (case,) = cases(replace(observed(), runs=(run,), pods=pods))
        assert case.pod == own
    (case,) = cases(replace(observed(), runs=(run,), pods=(other,)))
    assert case.pod is None
    left = replace(own, owner_uid=None)
    (case,) = cases(replace(observed(), runs=(run,), pods=(other, left)))
    assert case.pod == left, "its Job was deleted without it"


# Names


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


# What has the name


@cache
def created() -> dict[str, list[Json]]:
    """Every object that an operator creates in jobs' lives, as it was asked for, by kind."""
    found: dict[str, list[Json]] = defaultdict(list)

    async def through(life: tuple[lives.Step, ...]) -> None:
        world = World(lives.new_cluster(), life)

        class Noting:
            def __getattr__(self, name: str) -> Any:
                return getattr(world.kube.server, name)

            async def write(self, namespace: str, write: Any) -> Json:
                if write.verb == "create":
                    found[write.kind].append(dict(write.body))
                return await world.kube.server.write(namespace, write)

        await world.add_operator(Noting())
        while world.act():
            await world.rest()

    for life in (lives.SCHEDULED, lives.PACKAGED, lives.REMEMBERING):
        asyncio.run(through(life))
    return found


def without(part: str, key: str) -> Callable[[Json], Json]:
    def change(body: Json) -> Json:
        metadata = body["metadata"]
        kept = {name: value for name, value in metadata[part].items() if name != key}
        return {**body, "metadata": {**metadata, part: kept}}

    return change


def of_another_owner(body: Json) -> Json:
    return {
        **body,
        "metadata": {**body["metadata"], "ownerReferences": [{"uid": "other", "controller": True}]},
    }


def as_manual(body: Json) -> Json:
    return {
        **body,
        "spec": {"jobName": body["spec"]["jobName"], "trigger": {"type": "Manual", "by": "eve"}},
    }


def of_another_job(body: Json) -> Json:
    return {**body, "spec": {**body["spec"], "jobName": "other"}}


FORGED: Final[dict[Kind, tuple[Callable[[Json], Json], ...]]] = {
    "cronjob": (
        without("labels", names.JOB_LABEL),
        without("annotations", names.DIGEST_ANNOTATION),
        of_another_owner,
    ),
    "batchjob": (
        without("labels", names.JOB_LABEL),
        without("annotations", names.DIGEST_ANNOTATION),
        of_another_owner,
    ),
    "revision": (
        without("labels", names.JOB_LABEL),
        without("annotations", names.DIGEST_ANNOTATION),
        of_another_owner,
    ),
    "claim": (without("labels", names.JOB_LABEL), of_another_owner),
    "run": (as_manual, of_another_job),
}


@pytest.mark.parametrize("kind", FORGED)
def test_only_what_we_would_have_created_is_taken_for_it(kind: Kind) -> None:
    bodies = created()[kind]
    assert bodies
    for body in bodies:
        later = {
            **body,
            "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"},
            "status": {"phase": "Running"},
        }
        assert is_same(kind, body, later)
        for forge in FORGED[kind]:
            assert not is_same(kind, body, forge(later)), forge


# Squatted names


def config_map(kube: Kubernetes) -> None:
    digest = lives.status(kube, "report")["card"]["digest"]
    kube.server.create("revision", NS, {"metadata": {"name": f"report-{digest}"}, "data": {}})


def is_told_of(kube: Kubernetes) -> None:
    ready = next(
        condition
        for condition in lives.status(kube, "report")["conditions"]
        if condition["type"] == "Ready"
    )
    assert (ready["status"], ready["reason"]) == ("False", "NameTaken")
    assert ready["message"].startswith("a ConfigMap named report-")
    assert kube.server.all("cronjob") == []
    assert lives.runs(kube)["early"]["reason"] == "NameTaken"


def free(kube: Kubernetes) -> None:
    (row,) = (row for row in kube.server.objects if row[0] == "revision")
    kube.server.remove(row)


def test_a_squatted_revision_is_reported_and_holds_the_job_until_gone() -> None:
    kube = live(
        step(nothing, lives.apply("report", "ok")),
        step(is_told_of, config_map, lives.decide("report"), lives.start("report", "early")),
        step(nothing, free),
        step(nothing, lives.start("report", "late")),
    )
    lives.ended(kube, "late", "Succeeded", "Completed", "done\n")


def test_a_squatted_revision_of_a_change_holds_the_job_and_denials_work() -> None:
    """The new content is what was approved last; the older one does not go on in its place."""

    def is_held(kube: Kubernetes) -> None:
        assert kube.server.objects["cronjob", NS, "report"]["spec"]["suspend"]

    def squat(kube: Kubernetes) -> None:
        config_map(kube)
        lives.decide("report")(kube)

    kube = live(
        step(nothing, lives.apply("report", "ok", schedule={"cron": "0 8 * * *"})),
        step(nothing, lives.decide("report")),
        step(nothing, lives.rewrite("report", "other")),
        step(is_held, squat),
        step(nothing, lives.eight_o_clock),
        step(
            nothing, lives.decide("report", "Denied"), lives.delete("approval", "report-approved")
        ),
    )
    assert (kube.server.all("cronjob"), kube.started) == ([], {})


FOLLOWS: Final = [{"after": {"job": "first", "on": "Succeeded"}}]


def squatted(kube: Kubernetes, count: int) -> None:
    """Anyone who sees the upstream run's uid can compute the names; here no policy refuses them."""
    (run,) = (run for run in kube.server.all("run") if run["metadata"]["name"] == "go")
    event = Event(id=run["metadata"]["uid"], source=f"/namespaces/{NS}/agentjobruns/go", type="any")
    numbered = naming.runs_of_chain("second", event)
    for _ in range(count):
        squatter = written.run(
            next(numbered),
            "second",
            trigger={"type": "Event", "event": {"id": "1", "source": "/eve", "type": "x"}},
        )
        kube.server.create("run", NS, squatter)


@pytest.mark.parametrize("count", [1, 3])
def test_a_chain_goes_on_under_another_name_where_its_own_is_taken(count: int) -> None:
    async def through() -> Kubernetes:
        kube = lives.new_cluster()
        world = World(kube, ())
        await world.add_operator()
        lives.apply("first", "ok")(kube)
        lives.apply("second", "other", triggers=FOLLOWS)(kube)
        await world.rest()
        lives.decide("first")(kube)
        lives.decide("second")(kube)
        await world.rest()
        lives.start("first", "go")(kube)
        squatted(kube, count)
        await world.rest()
        return kube

    kube = asyncio.run(through())
    followed = [
        run
        for run in kube.server.all("run")
        if run["spec"].get("trigger", {}).get("upstreamRun") == "go"
    ]
    assert [run["status"]["phase"] for run in followed] == ["Succeeded"]
    lives.has_event(kube, "NameTaken", count)


def test_a_start_whose_name_a_foreign_job_has_is_recorded_as_name_taken() -> None:
    """Its controller cannot make it, and tries for ever."""

    def squat(kube: Kubernetes) -> None:
        job = {"metadata": {"name": lives.SCHEDULED_RUN}, "spec": {"suspend": True, "template": {}}}
        kube.server.create("batchjob", NS, job)

    kube = live(
        step(
            nothing,
            lives.apply(
                "report", "ok", schedule={"cron": "0 8 * * *", "startingDeadlineSeconds": 60}
            ),
        ),
        step(nothing, lives.decide("report"), squat),
        step(nothing, lives.eight_o_clock),
        step(nothing, an_hour_later),
    )
    record = lives.runs(kube)[lives.SCHEDULED_RUN]
    assert (record["phase"], record["reason"]) == ("Skipped", "NameTaken")
    assert (
        f"a Job named {lives.SCHEDULED_RUN} exists and does not belong to this job; delete it"
        in record["message"]
    )


def test_a_name_that_is_free_again_is_not_called_taken_any_more() -> None:
    kube, key = lives.new_cluster(), (NS, "report")
    theirs, ours = written.run("next", "another"), written.run("next", "report")
    executor = Executor(kube.server, Cache(), lambda _: None)

    async def tried() -> None:
        kube.server.create("run", NS, theirs)
        with pytest.raises(NameTaken):
            await executor.execute(key, Write("create", "run", "next", "a start", ours))
        assert executor.taken(key) == {("run", "next")}
        kube.server.remove(("run", NS, "next"))
        await executor.execute(key, Write("create", "run", "next", "a start", ours))

    asyncio.run(tried())
    assert executor.taken(key) == frozenset()
