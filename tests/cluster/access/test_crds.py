"""What a real API server makes of the CRDs: its refusals, defaults and answers to `kubectl get`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from agentjobs.api.names import APPROVALS, GROUP, JOBS, PACKAGE_APPROVALS, RUNS
from agentjobs.api.resources import RESOURCES
from hack import crdgen
from tests.cluster.access.crds import Api
from tests.cluster.support import Kubectl, KubectlError, new_namespace, wait_for
from tests.support import manifests
from tests.support.corpus.case import Refused
from tests.support.corpus.good import GOOD, GOOD_JOBS
from tests.support.corpus.refused import REFUSED
from tests.support.manifests import Manifest, approval, job, package_approval, run
from tests.support.root import ROOT

CRDS = ROOT / "crds"
MODELS = {resource.kind: resource for resource in RESOURCES}


@pytest.fixture(scope="module")
def group(kubectl: Kubectl) -> Iterator[str]:
    """This checkout's CRDs under another group, where no installed operator or policy meddles."""
    name = f"test-{secrets.token_hex(4)}.{GROUP}"
    copies = "---\n".join(
        yaml.safe_dump(_moved(crdgen.crd(resource), name)) for resource in RESOURCES
    )
    kubectl("create", "-f", "-", stdin=copies)
    try:
        kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", "-", stdin=copies)
        wait_for(lambda: _listed(kubectl, name), 30, f"the API server serves {name}")
        yield name
    finally:
        kubectl("delete", "--wait=false", "-f", "-", stdin=copies)
        # kubectl remembers for ten minutes what the server serves, and would still look for these
        # in the category `agentjobs`.
        wait_for(lambda: not _served(kubectl, name), 60, f"the API server has forgotten {name}")


def _moved(crd: Manifest, group: str) -> Manifest:
    return {
        **crd,
        "metadata": {"name": f"{crd['spec']['names']['plural']}.{group}"},
        "spec": {**crd["spec"], "group": group},
    }


def _listed(kubectl: Kubectl, group: str) -> bool:
    return _served(kubectl, group) == len(RESOURCES)


def _served(kubectl: Kubectl, group: str) -> int:
    return kubectl("api-resources", "--cached=false", "--output", "name").count(group)


@pytest.fixture(scope="module")
def trial(kubectl: Kubectl, group: str) -> Iterator[Api]:
    """For what is refused or only tried: nothing stays in it."""
    with new_namespace(kubectl) as name:
        yield Api(kubectl, group, name)


@pytest.fixture
def api(kubectl: Kubectl, group: str, namespace: str) -> Api:
    return Api(kubectl, group, namespace)


def test_the_files_install(kubectl: Kubectl) -> None:
    told = kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", str(CRDS)
    )
    assert told.count("serverside-applied") == len(RESOURCES)


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.what)
def test_a_bad_manifest_is_refused_with_a_sentence_that_says_what_to_do(
    trial: Api, bad: Refused
) -> None:
    assert bad.server in trial.refusal(bad.manifest)


@pytest.mark.parametrize("what", GOOD)
def test_a_good_manifest_is_accepted_and_filled_in_as_the_models_do(trial: Api, what: str) -> None:
    model = MODELS[GOOD[what]["kind"]].spec
    answer = json.loads(trial.create(GOOD[what], output="json", dry_run="server"))
    assert model.model_validate(answer["spec"]) == model.model_validate(GOOD[what]["spec"])


def cron_job(name: str, schedule: Manifest) -> Manifest:
    pod = {"restartPolicy": "Never", "containers": [{"name": "runner", "image": "runner"}]}
    spec = {
        "schedule": schedule["cron"],
        "timeZone": schedule.get("timeZone"),
        "jobTemplate": {"spec": {"template": {"spec": pod}}},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {**spec, "suspend": True},
    }


def test_kubernetes_takes_every_cron_and_zone_that_we_take(api: Api) -> None:
    schedules = [
        sent["spec"]["schedule"]
        for sent in GOOD_JOBS.values()
        if "cron" in sent["spec"].get("schedule", {})
    ]
    made = api.create(
        *(cron_job(f"start-{number}", schedule) for number, schedule in enumerate(schedules)),
        dry_run="server",
    )
    assert len(made.split()) == len(schedules)


@pytest.mark.parametrize(
    "smallest", [job(), run(), approval()], ids=lambda manifest: str(manifest["kind"])
)
def test_the_server_fills_in_the_defaults_of_the_models(api: Api, smallest: Manifest) -> None:
    api.create(smallest)
    resource = MODELS[smallest["kind"]]
    stored = api.one(resource.plural, smallest["metadata"]["name"])
    assert stored["spec"] == without_nothing(resource.spec.model_validate(smallest["spec"]).wire())


def without_nothing(value: Any) -> Any:
    """Empty lists and objects are not filled in: they say nothing."""
    if not isinstance(value, dict):
        return value
    return {
        name: found
        for name, child in value.items()
        if (found := without_nothing(child)) not in ([], {})
    }


def test_a_script_is_not_quoted_when_it_is_refused(trial: Api) -> None:
    assert "hunter2" not in trial.refusal(job(script={"inline": "password = 'hunter2'\x1b"}))


def test_a_name_made_by_the_server_is_judged_like_any_other(api: Api) -> None:
    assert "/report-" in api.create(run() | {"metadata": {"generateName": "report-"}})
    with pytest.raises(KubectlError, match=r"metadata\.name may have at most 63 characters"):
        api.create(run() | {"metadata": {"generateName": "report."}})


def test_an_approval_cannot_be_changed(api: Api) -> None:
    api.apply(approval())
    assert "an approval cannot be changed; delete it and create a new one" in api.refusal(
        approval(decision="Denied")
    )


def test_an_approval_of_packages_cannot_be_changed(api: Api) -> None:
    api.apply(package_approval())
    for changed in (
        {"decision": "Denied"},
        {"packages": ["requests==2.32.3", "evil==1"]},
        {"reason": "another"},
    ):
        assert "an approval cannot be changed; delete it and create a new one" in api.refusal(
            package_approval(**changed)
        )
    api.apply(approval())


def test_a_run_cannot_be_changed_but_its_record_can_be_written(api: Api) -> None:
    api.apply(run())
    assert "only cancel of a run can be changed, from false to true" in api.refusal(
        run(job_name="other")
    )
    assert "only cancel of a run can be changed, from false to true" in api.refusal(
        run(cancel=True, trigger={"by": "somebody else"})
    )
    api.apply(run(cancel=True))
    assert "only cancel of a run can be changed, from false to true" in api.refusal(
        run(cancel=False)
    )
    api.write_status(RUNS, "report-by-hand", {"phase": "Succeeded", "exitCode": 0})
    assert api.names(RUNS, "status.phase=Succeeded") == ["report-by-hand"]


def test_a_new_run_reads_as_pending_before_anybody_writes_its_status(api: Api) -> None:
    api.create({**run(), "status": {"phase": "Succeeded"}})
    stored = api.one(RUNS, "report-by-hand", "--show-managed-fields")
    assert stored["status"] == {"phase": "Pending"}
    assert all("f:status" not in entry["fieldsV1"] for entry in stored["metadata"]["managedFields"])


def test_field_selectors_see_the_pending_of_a_new_run(api: Api) -> None:
    api.create(run(), run("other-by-hand", "other"))
    both = ["other-by-hand", "report-by-hand"]
    assert api.names(RUNS, "status.phase=Pending") == both
    assert api.names(RUNS, "status.phase!=Succeeded,status.phase!=Failed") == both
    assert api.names(RUNS, "status.phase!=Pending") == []
    assert api.names(RUNS, "status.phase=Pending,spec.jobName=other") == ["other-by-hand"]


def test_a_watch_of_unfinished_runs_sees_new_ones_come_and_others_go(api: Api) -> None:
    path = f"/apis/{api.group}/v1alpha1/namespaces/{api.namespace}/agentjobruns"
    before = json.loads(api.kubectl("get", "--raw", path))["metadata"]["resourceVersion"]
    api.create(run())
    api.write_status(RUNS, "report-by-hand", {"phase": "Running"})
    api.write_status(RUNS, "report-by-hand", {"phase": "Succeeded"})
    selector = "status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"
    stream = api.kubectl(
        "get",
        "--raw",
        f"{path}?watch=1&timeoutSeconds=2&resourceVersion={before}&fieldSelector={selector}",
    )
    events = [json.loads(line) for line in stream.splitlines()]
    assert [(event["type"], event["object"]["status"]["phase"]) for event in events] == [
        ("ADDED", "Pending"),
        ("MODIFIED", "Running"),
        ("DELETED", "Running"),
    ]


JOB_STATUS = {
    "phase": "Finished",
    "reason": "NeverDue",
    "schedule": "At 08:00, only on Monday (Europe/Bucharest)",
    "waiting": "At 09:00 (Etc/UTC)",
    "approval": {"state": "Changed", "digest": manifests.DIGEST},
    "card": {
        "digest": manifests.DIGEST,
        "name": "report",
        "description": "Writes the weekly report.",
        "schedule": "At 08:00, only on Monday (Europe/Bucharest)",
        "session": "Ephemeral",
        "timeoutSeconds": 60,
    },
    "lastRunAt": "2026-11-16T06:00:02Z",
    "nextRunAt": "2126-11-23T06:00:00Z",
    "runCount": 7,
    "failureCount": 2,
    "lastError": "ScriptFailed: the script exited with code 3",
}
RUN_STATUS = {
    "phase": "Failed",
    "reason": "ScriptFailed",
    "message": "the script exited with code 3",
    "exitCode": 3,
    "startedAt": "2026-11-16T06:00:02Z",
    "finishedAt": "2026-11-16T06:00:09Z",
    "outputBytes": 1234,
    "storedBytes": 5678,
    "logsComplete": True,
}


def test_get_saj_tells_what_waits_what_comes_next_and_how_it_went(api: Api) -> None:
    api.create(job())
    api.write_status(JOBS, "report", JOB_STATUS)
    header, row = api.table(JOBS)
    assert header == "NAME PHASE APPROVAL SCHEDULE NEXT LAST RUN RUNS FAILED REASON AGE"
    schedule = "At 08:00, only on Monday (Europe/Bucharest)"
    assert row.startswith(
        f"report Finished Changed {schedule} 2126-11-23T06:00:00Z 2026-11-16T06:00:02Z 7 2"
        " NeverDue "
    )
    header, row = api.table(JOBS, "--output=wide")
    assert header.endswith("AGE WAITING DIGEST LAST ERROR")
    assert row.endswith(
        f"At 09:00 (Etc/UTC) {manifests.DIGEST} ScriptFailed: the script exited with code 3"
    )


def test_get_ajr_tells_how_a_run_went(api: Api) -> None:
    api.create(run())
    api.write_status(RUNS, "report-by-hand", RUN_STATUS)
    header, row = api.table(RUNS)
    assert header == "NAME JOB PHASE REASON EXIT CODE TRIGGER STARTED FINISHED AGE"
    assert row.startswith(
        "report-by-hand report Failed ScriptFailed 3 Manual 2026-11-16T06:00:02Z"
        " 2026-11-16T06:00:09Z "
    )
    header, row = api.table(RUNS, "--output=wide")
    assert header.endswith("AGE OUTPUT BYTES STORED BYTES MESSAGE LOGS COMPLETE")
    assert row.endswith("1234 5678 the script exited with code 3 true")


def test_get_aja_tells_who_decided_what(api: Api) -> None:
    api.create(approval(approvedBy="ana@example.com"))
    header, row = api.table(APPROVALS)
    assert header == "NAME JOB DECISION DIGEST BY AGE"
    assert row.startswith(f"report-yes report Approved {manifests.DIGEST} ana@example.com ")


def test_get_pka_tells_who_decided_about_which_packages(api: Api) -> None:
    api.create(
        package_approval(
            packages=["six==1.17.0", "Flask==3.0"],
            approvedBy="ana@example.com",
            reason="used by the reports",
        )
    )
    header, row = api.table(PACKAGE_APPROVALS)
    assert header == "NAME PACKAGES DECISION BY AGE"
    assert row.startswith('batch ["six==1.17.0","Flask==3.0"] Approved ana@example.com ')
    assert api.table(PACKAGE_APPROVALS, "--output=wide")[1].endswith("used by the reports")
    assert api.names(PACKAGE_APPROVALS, "spec.decision=Approved") == ["batch"]
    assert api.names(PACKAGE_APPROVALS, "spec.decision=Denied") == []


def test_jobs_can_be_selected_by_phase_and_by_approval(api: Api) -> None:
    api.create(job(), job("other"))
    api.write_status(JOBS, "report", JOB_STATUS)
    assert api.names(JOBS, "status.approval.state=Changed") == ["report"]
    assert api.names(JOBS, "status.phase=Finished") == ["report"]


def test_the_short_names_are_there(api: Api) -> None:
    lines = api.kubectl("api-resources", f"--api-group={api.group}", "--no-headers").splitlines()
    assert {tuple(line.split()[:2]) for line in lines} == {
        (JOBS, "saj"),
        (RUNS, "ajr"),
        (APPROVALS, "aja"),
        (PACKAGE_APPROVALS, "pka"),
    }


def test_one_word_lists_everything(api: Api) -> None:
    api.create(job(), run(), approval(), package_approval())
    names = api.kubectl(
        "get", "agentjobs", "--namespace", api.namespace, "--output", "name"
    ).split()
    assert sorted(name.partition(".")[0] for name in names) == [
        "agentjobapproval",
        "agentjobrun",
        "packageapproval",
        "scheduledagentjob",
    ]


def test_kubectl_explains_the_fields(api: Api) -> None:
    def explained() -> str:
        return api.kubectl(
            "explain",
            "scheduledagentjobs.spec.schedule.cron",
            f"--api-version={api.group}/v1alpha1",
        )

    assert "Five cron fields in timeZone" in wait_for(explained, 30, "the schema is published")
