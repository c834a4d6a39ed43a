"""What a real API server makes of the CRDs: whom it refuses and how, what it fills in, what `kubectl get` tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agentjobs.api.resources import RESOURCES
from tests import manifests
from tests.cluster.support import Kubectl, KubectlError, new_namespace
from tests.manifests import GOOD, REFUSED, Manifest, Refused, approval, job, run

pytestmark = pytest.mark.usefixtures("crds")

MODELS = {resource.kind: resource for resource in RESOURCES}
RUNS_PATH = "/apis/agentjobs.dev/v1alpha1/namespaces/{}/agentjobruns"


@pytest.fixture(scope="module")
def one_namespace(kubectl: Kubectl) -> Iterator[str]:
    """For what is refused or only tried: nothing stays in it."""
    with new_namespace(kubectl) as name:
        yield name


def refusal(kubectl: Kubectl, namespace: str, manifest: Manifest) -> str:
    with pytest.raises(KubectlError) as refused:
        kubectl.apply(namespace, manifest)
    return refused.value.stderr


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.what)
def test_a_bad_manifest_is_refused_with_a_sentence_that_says_what_to_do(kubectl: Kubectl, one_namespace: str, bad: Refused) -> None:
    assert bad.server in refusal(kubectl, one_namespace, bad.manifest)


@pytest.mark.parametrize("what", GOOD)
def test_a_good_manifest_is_accepted_and_filled_in_as_the_models_do(kubectl: Kubectl, one_namespace: str, what: str) -> None:
    sent = GOOD[what]
    model = MODELS[sent["kind"]].spec
    answer = json.loads(
        kubectl("create", "--dry-run=server", "--namespace", one_namespace, "-f", "-", "--output", "json", stdin=json.dumps(sent))
    )
    assert model.model_validate(answer["spec"]) == model.model_validate(sent["spec"])


def cron_job(name: str, schedule: Manifest) -> Manifest:
    pod = {"restartPolicy": "Never", "containers": [{"name": "runner", "image": "runner"}]}
    spec = {"schedule": schedule["cron"], "timeZone": schedule.get("timeZone"), "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}


def test_kubernetes_takes_every_cron_and_zone_that_we_take(kubectl: Kubectl, namespace: str) -> None:
    schedules = [sent["spec"]["schedule"] for sent in manifests.GOOD_JOBS.values() if "cron" in sent["spec"].get("schedule", {})]
    kubectl.create(namespace, *(cron_job(f"start-{number}", schedule) for number, schedule in enumerate(schedules)))
    assert len(kubectl("get", "cronjobs", "--namespace", namespace, "--output", "name").split()) == len(schedules)


@pytest.mark.parametrize("smallest", [job(), run(), approval()], ids=lambda manifest: str(manifest["kind"]))
def test_the_server_fills_in_the_defaults_of_the_models(kubectl: Kubectl, namespace: str, smallest: Manifest) -> None:
    kubectl.create(namespace, smallest)
    resource = MODELS[smallest["kind"]]
    stored = kubectl.json("get", resource.plural, "--namespace", namespace, smallest["metadata"]["name"])
    assert stored["spec"] == without_nothing(resource.spec.model_validate(smallest["spec"]).wire())


def without_nothing(value: Any) -> Any:
    """Empty lists and objects are not filled in: they say nothing."""
    if not isinstance(value, dict):
        return value
    return {name: found for name, child in value.items() if (found := without_nothing(child)) not in ([], {})}


def test_a_script_is_not_quoted_when_it_is_refused(kubectl: Kubectl, namespace: str) -> None:
    assert "hunter2" not in refusal(kubectl, namespace, job(script={"inline": "password = 'hunter2'\x1b"}))


def test_a_name_made_by_the_server_is_judged_like_any_other(kubectl: Kubectl, namespace: str) -> None:
    made = run() | {"metadata": {"generateName": "report-"}}
    assert "report-" in kubectl.create(namespace, made)
    dotted = run() | {"metadata": {"generateName": "report."}}
    with pytest.raises(KubectlError, match=r"metadata\.name may have at most 63 characters"):
        kubectl.create(namespace, dotted)


def test_an_approval_cannot_be_changed(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(namespace, approval())
    told = refusal(kubectl, namespace, approval(decision="Denied"))
    assert "an approval cannot be changed; delete it and create a new one" in told
    kubectl.apply(namespace, approval())


def test_a_run_cannot_be_changed_but_its_record_can_be_written(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(namespace, run())
    told = refusal(kubectl, namespace, run(job_name="other"))
    assert "a run cannot be changed; delete it and create a new one" in told
    write_status(kubectl, namespace, "ajr/report-by-hand", {"phase": "Succeeded", "exitCode": 0})
    assert phases(kubectl, namespace, "status.phase=Succeeded") == ["report-by-hand"]


def write_status(kubectl: Kubectl, namespace: str, name: str, status: Manifest) -> None:
    patch = json.dumps({"status": status})
    kubectl("patch", name, "--namespace", namespace, "--subresource=status", "--type=merge", "--patch", patch)


def phases(kubectl: Kubectl, namespace: str, selector: str) -> list[str]:
    found = kubectl.json("get", "ajr", "--namespace", namespace, "--field-selector", selector)
    return [item["metadata"]["name"] for item in found["items"]]


def test_a_new_run_reads_as_pending_before_anybody_writes_its_status(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, {**run(), "status": {"phase": "Succeeded"}})
    stored = kubectl.json("get", "ajr", "--namespace", namespace, "report-by-hand", "--show-managed-fields")
    assert stored["status"] == {"phase": "Pending"}
    assert all("f:status" not in entry["fieldsV1"] for entry in stored["metadata"]["managedFields"])


def test_field_selectors_see_the_pending_of_a_new_run(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, run(), run("other-by-hand", "other"))
    both = ["other-by-hand", "report-by-hand"]
    assert phases(kubectl, namespace, "status.phase=Pending") == both
    assert phases(kubectl, namespace, "status.phase!=Succeeded,status.phase!=Failed") == both
    assert phases(kubectl, namespace, "status.phase!=Pending") == []
    assert phases(kubectl, namespace, "status.phase=Pending,spec.jobName=other") == ["other-by-hand"]


def test_a_watch_of_unfinished_runs_sees_a_new_one_come_and_a_finished_one_go(kubectl: Kubectl, namespace: str) -> None:
    path = RUNS_PATH.format(namespace)
    before = json.loads(kubectl("get", "--raw", path))["metadata"]["resourceVersion"]
    kubectl.create(namespace, run())
    write_status(kubectl, namespace, "ajr/report-by-hand", {"phase": "Running"})
    write_status(kubectl, namespace, "ajr/report-by-hand", {"phase": "Succeeded"})
    selector = "status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"
    stream = kubectl("get", "--raw", f"{path}?watch=1&timeoutSeconds=2&resourceVersion={before}&fieldSelector={selector}")
    events = [json.loads(line) for line in stream.splitlines()]
    assert [(event["type"], event["object"]["status"]["phase"]) for event in events] == [
        ("ADDED", "Pending"),
        ("MODIFIED", "Running"),
        ("DELETED", "Running"),
    ]


JOB_STATUS = {
    "phase": "Finished",
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
    "logsComplete": True,
}


def table(kubectl: Kubectl, namespace: str, kind: str, *options: str) -> list[str]:
    printed = kubectl("get", kind, "--namespace", namespace, *options).splitlines()
    return ["  ".join(line.split()) for line in printed]


def test_get_saj_tells_what_waits_what_comes_next_and_how_it_went(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, job())
    write_status(kubectl, namespace, "saj/report", JOB_STATUS)
    header, row = table(kubectl, namespace, "saj")
    assert header == "NAME  PHASE  APPROVAL  SCHEDULE  NEXT  LAST  RUN  RUNS  FAILED  AGE"
    assert row.startswith(
        "report  Finished  Changed  At  08:00,  only  on  Monday  (Europe/Bucharest)  2126-11-23T06:00:00Z  2026-11-16T06:00:02Z  7  2  "
    )
    header, row = table(kubectl, namespace, "saj", "--output=wide")
    assert header.endswith("AGE  DIGEST  LAST  ERROR")
    assert row.endswith(f"{manifests.DIGEST}  ScriptFailed:  the  script  exited  with  code  3")


def test_get_ajr_tells_how_a_run_went(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, run())
    write_status(kubectl, namespace, "ajr/report-by-hand", RUN_STATUS)
    header, row = table(kubectl, namespace, "ajr")
    assert header == "NAME  JOB  PHASE  REASON  EXIT  CODE  TRIGGER  STARTED  FINISHED  AGE"
    assert row.startswith("report-by-hand  report  Failed  ScriptFailed  3  Manual  2026-11-16T06:00:02Z  2026-11-16T06:00:09Z  ")
    header, row = table(kubectl, namespace, "ajr", "--output=wide")
    assert header.endswith("AGE  OUTPUT  BYTES  MESSAGE  LOGS  COMPLETE")
    assert row.endswith("1234  the  script  exited  with  code  3  true")


def test_get_aja_tells_who_decided_what(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, approval(approvedBy="ana@example.com"))
    header, row = table(kubectl, namespace, "aja")
    assert header == "NAME  JOB  DECISION  DIGEST  BY  AGE"
    assert row.startswith(f"report-yes  report  Approved  {manifests.DIGEST}  ana@example.com  ")


def test_jobs_can_be_selected_by_phase_and_by_approval(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, job(), job("other"))
    write_status(kubectl, namespace, "saj/report", JOB_STATUS)
    for selector in ("status.approval.state=Changed", "status.phase=Finished"):
        found = kubectl("get", "saj", "--namespace", namespace, "--field-selector", selector, "--output", "name")
        assert found.split() == ["scheduledagentjob.agentjobs.dev/report"]


def test_one_word_lists_everything(kubectl: Kubectl, namespace: str) -> None:
    kubectl.create(namespace, job(), run(), approval())
    names = kubectl("get", "agentjobs", "--namespace", namespace, "--output", "name").split()
    assert sorted(name.partition(".")[0] for name in names) == ["agentjobapproval", "agentjobrun", "scheduledagentjob"]


def test_kubectl_explains_the_fields(kubectl: Kubectl) -> None:
    assert "Five cron fields in the time zone below" in kubectl("explain", "saj.spec.schedule.cron")
