"""What people are told when something is not there, has no output or waits for more.

Also what they are told when it would not work once it is approved.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agentjobs.cli.commands import cancel, decide, doctor, history, logs, pause, run
from agentjobs.cli.contents import content_of
from agentjobs.cli.errors import Exit
from agentjobs.present import health
from tests.support.cli import jobs as cli_jobs
from tests.support.cli.fake_kubectl import FakeKube, Json, ran

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def job(name: str = "report", **status: Any) -> Json:
    body = {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "metadata": {"name": name, "generation": 1},
    }
    return {**body, "spec": {"description": "x", "script": {"inline": "x"}}, "status": status}


@pytest.mark.parametrize("forbidden", [False, True], ids=["who lists jobs", "who may not list"])
def test_a_run_of_a_job_that_is_not_there_leaves_no_record(forbidden: bool) -> None:
    kube = FakeKube(objects={"scheduledagentjobs": [job(), job("other")]})
    if forbidden:
        kube = FakeKube(objects=kube.objects, forbidden=frozenset({"scheduledagentjobs"}))
    code, _, err = ran(run.run, kube, "reprot")
    # whoever may start one job only need not be able to read it: the operator says what is wrong
    if forbidden:
        assert (code, len(kube.wrote)) == (Exit.OK, 1)
        return
    assert (code, kube.wrote) == (Exit.NOT_FOUND, [])
    assert "there is no ScheduledAgentJob reprot in namespace team\n  did you mean report?" in err
    assert "did you mean" not in ran(run.run, kube, "zzzz")[2]
    assert "did you mean report?" in ran(history.run, kube, "reprt")[2]


EMPTY: dict[str, tuple[Json, str]] = {
    "nothing": ({}, "it printed nothing to stdout"),
    "to the other stream": ({"stderr": "x"}, "it printed nothing to stdout, but to stderr"),
    "a failure": (
        {"phase": "Failed", "message": "exit code 3"},
        "it printed nothing to stdout: exit code 3",
    ),
    "skipped": (
        {"phase": "Skipped", "message": "another run goes on", "startedAt": None},
        "it did not start: another run goes on",
    ),
    "trimmed": ({"outputTrimmed": True}, "newer runs took its place"),
    "lost": (
        {"phase": "Failed", "logsComplete": False, "message": "the node is gone"},
        "it could not be kept: the node is gone",
    ),
}


@pytest.mark.parametrize("what", EMPTY)
def test_a_run_without_output_says_why(what: str) -> None:
    status, why = EMPTY[what]
    record = cli_jobs.run("report-1", "Succeeded", startedAt="2026-11-24T10:00:00Z")
    record["status"].update(status)
    kube = FakeKube(objects={"agentjobruns": [record]})
    code, out, err = ran(logs.run, kube, "report-1")
    assert (code, out) == (0, b"")
    assert f"report-1 has no stdout: {why}" in err
    record["spec"]["jobName"] = "report"
    told = ran(history.run, kube, "report")[2]
    assert ("report-1 has no output" in told) == ("stderr" not in status), told


def test_a_job_without_runs_says_what_keeps_it() -> None:
    held = {
        "type": "Ready",
        "status": "False",
        "reason": "NameTaken",
        "message": "a CronJob of this name is somebody else's",
    }
    err = ran(
        history.run, FakeKube(objects={"scheduledagentjobs": [job(conditions=[held])]}), "report"
    )[2]
    assert (
        "report has no runs yet: a CronJob of this name is somebody else's; `kubectl saj run"
        " report` starts one" in err
    )


ENDED: dict[str, tuple[str, list[Json], str]] = {
    "a run": (
        "report-1",
        [cli_jobs.run("report-1", "Succeeded")],
        "the run report-1 has ended (succeeded)",
    ),
    "a job with one run": (
        "report",
        [cli_jobs.run("report-1", "TimedOut")],
        "the run report-1 has ended (timed out)",
    ),
    "a job": (
        "report",
        [cli_jobs.run("report-1", "Failed"), cli_jobs.run("report-2", "Failed")],
        "all runs of report have ended",
    ),
    "a job without runs": ("report", [], "the job report has no runs"),
}


@pytest.mark.parametrize("what", ENDED)
def test_where_nothing_can_be_cancelled_it_is_said_why(what: str) -> None:
    name, runs, why = ENDED[what]
    runs = [{**body, "spec": {**body["spec"], "jobName": "report"}} for body in runs]
    code, _, err = ran(
        cancel.run,
        FakeKube(objects={"scheduledagentjobs": [job()], "agentjobruns": runs}),
        name,
        yes=True,
    )
    assert (code, err.splitlines()[0]) == (
        Exit.NOT_FOUND,
        f"error: {why}: there is nothing to cancel",
    )


class Patched(FakeKube):
    """Remembers what was patched."""

    def run(self, *arguments: str, stdin: str = "") -> str:
        if arguments[0] == "patch":
            self.wrote.append({"patch": arguments[-1]})
        return super().run(*arguments, stdin=stdin)


RESUMED: dict[str, tuple[Json, Json, int, str]] = {
    "paused by a person": (
        {"approval": {"state": "Approved"}},
        {"suspend": True},
        1,
        "report is resumed\n",
    ),
    "after failures": (
        {
            "approval": {"state": "Approved"},
            "failurePause": {"since": "x"},
            "consecutiveFailures": 3,
        },
        {},
        2,
        "report is resumed after 3 failures in a row\n",
    ),
    "not approved": (
        {"approval": {"state": "Pending"}},
        {},
        1,
        "report is resumed, and starts nothing before it is approved",
    ),
    "never due": (
        {
            "conditions": [
                {"type": "Scheduled", "reason": "Past", "message": "it is over", "status": "False"}
            ]
        },
        {},
        1,
        "report is resumed, but it is never due: it is over",
    ),
}


@pytest.mark.parametrize("what", RESUMED)
def test_resuming_resumes_what_failures_paused_or_says_what_is_needed(what: str) -> None:
    status, spec, patches, sentence = RESUMED[what]
    body = job(**status)
    body["spec"] = {**body["spec"], "schedule": {"cron": "0 8 * * 1"}, **spec}
    kube = Patched(objects={"scheduledagentjobs": [body]})
    out = ran(pause.resume, kube, ["report"])[1].decode()
    assert out.startswith(sentence)
    assert [one["patch"] for one in kube.wrote] == [
        '{"spec": {"suspend": true}}',
        '{"spec": {"suspend": false}}',
    ][-patches:]


def reader() -> Json:
    """A job with a Secret, a model's key and a claim."""
    reference = {"secretKeyRef": {"name": "crm", "key": "token"}}
    spec = {
        "description": "x",
        "script": {"inline": "x"},
        "env": [{"name": "T", "valueFrom": reference}],
        "workspace": {"claimName": "reports"},
    }
    card = {
        "digest": content_of("report", spec).digest,
        "secrets": ["crm/token", "models/key"],
        "warnings": ["its start lies in the past"],
    }
    return {**job(card=card), "spec": spec}


def test_who_approves_is_warned_of_what_is_not_there() -> None:
    kube = FakeKube(
        objects={
            "scheduledagentjobs": [reader()],
            "secrets": [{"metadata": {"name": "crm"}, "data": {"other": "c2VjcmV0"}}],
        }
    )
    code, out, err = ran(decide.approve, kube, ["report"], yes=True)
    assert code == 0
    assert "warning: report: the Secret crm has no token: runs cannot start without" in err
    assert "warning: report: there is no Secret models: runs cannot start without its key" in err
    assert "warning: report: there is no PersistentVolumeClaim reports: " in err
    assert "c2VjcmV0" not in err + out.decode()
    digest = reader()["status"]["card"]["digest"]
    assert (
        "warning: report: its start lies in the past"
        in ran(decide.approve, kube, ["report"], digest=digest)[2]
    )


def test_what_a_person_may_not_see_is_said_and_not_guessed() -> None:
    forbidden = frozenset({"secrets", "persistentvolumeclaims"})
    err = ran(
        decide.approve,
        FakeKube(objects={"scheduledagentjobs": [reader()]}, forbidden=forbidden),
        ["report"],
        yes=True,
    )[2]
    assert "you may not see whether there is a Secret crm with token" in err
    assert "you may not see whether there is a PersistentVolumeClaim reports" in err
    assert "there is no" not in err


def test_nothing_is_warned_of_where_all_is_there() -> None:
    body = reader()
    body["status"]["card"]["secrets"] = ["crm/token"]
    there = {
        "secrets": [{"metadata": {"name": "crm"}, "data": {"token": "x"}}],
        "persistentvolumeclaims": [{"metadata": {"name": "reports"}}],
    }
    assert (
        "warning"
        not in ran(
            decide.approve,
            FakeKube(objects={"scheduledagentjobs": [body], **there}),
            ["report"],
            yes=True,
        )[2]
    )


def told(findings: Any) -> list[tuple[str, str]]:
    return [(finding.verdict, finding.text) for finding in findings]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Ready", "NameTaken"),
        ("Ready", "InvalidSpec"),
        ("Scheduled", "NeverDue"),
        ("Scheduled", "PausedAfterFailures"),
    ],
)
def test_the_doctor_finds_what_somebody_has_to_do_something_about(kind: str, reason: str) -> None:
    body = job(
        "pages",
        observedGeneration=1,
        conditions=[{"type": kind, "status": "False", "reason": reason, "message": "why"}],
    )
    assert told(health.troubles([body], NOW)) == [("problem", "pages: why")]


def test_the_doctor_finds_what_does_not_go_on() -> None:
    going = {**job("pages", observedGeneration=1)}
    going["metadata"] = {**going["metadata"], "deletionTimestamp": "2026-11-24T11:50:00Z"}
    assert told(health.troubles([going], NOW)) == [
        ("problem", "pages: its deletion does not finish: see its finalizers")
    ]
    late = cli_jobs.run("pages-1", "Pending", message="ErrImagePull")
    assert told(health.stuck([late], NOW)) == [
        ("problem", "the run pages-1 has not started: ErrImagePull")
    ]
    fresh = cli_jobs.run("pages-2", "Pending")
    fresh["metadata"]["creationTimestamp"] = "2026-11-24T11:59:50Z"
    started = cli_jobs.run("pages-3", "Running", startedAt="2026-11-24T10:00:00Z")
    assert told(health.stuck([fresh, started, cli_jobs.run("pages-4", "Failed")], NOW)) == [
        ("ok", "2 unfinished runs, all of them started")
    ]


def test_the_doctor_finds_two_releases() -> None:
    leases = [
        {"metadata": {"namespace": name}, "spec": {"renewTime": "2026-11-24T11:59:50.000000Z"}}
        for name in ("one", "two")
    ]
    assert told(health.lease(leases, NOW))[-1] == (
        "problem",
        (
            "there are 2 operators, in the namespaces one, two: they block each other; uninstall"
            " all but one"
        ),
    )
    policies = [
        {"metadata": {"name": f"{one}-jobs", "labels": {doctor.INSTANCE: one}}}
        for one in ("a", "b")
    ]
    objects = {"validatingadmissionpolicies": policies, "validatingadmissionpolicybindings": []}
    found = told(doctor.policies(FakeKube(objects=objects)))
    assert found[0][1].startswith("there are 2 releases of the chart, a, b")
