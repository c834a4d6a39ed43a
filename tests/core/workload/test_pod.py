"""What the operator writes: the promises of a run's pod."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.views.spec_hash import spec_hash
from agentjobs.core.workload import records
from tests.support.workload import POLICY, cron_job, observed, pod


def test_a_run_has_no_token_no_privilege_and_a_root_that_it_cannot_write() -> None:
    spec = pod()
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostPID", "hostNetwork", "hostIPC", "initContainers"} & spec.keys()


def test_a_script_runs_once_and_for_an_hour_at_most() -> None:
    job = cron_job()["spec"]["jobTemplate"]["spec"]
    assert (job["activeDeadlineSeconds"], job["backoffLimit"]) == (3600, 0)
    assert job["podFailurePolicy"]["rules"][0]["action"] == "FailJob"
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in job


@pytest.mark.parametrize(("asked", "given"), [(3540, "3540"), (60, "60")])
def test_the_runners_own_limit_comes_before_the_deadline(asked: int, given: str) -> None:
    env = {
        variable["name"]: variable.get("value")
        for variable in pod(timeoutSeconds=asked)["containers"][0]["env"]
    }
    assert env["AGENTJOBS_TIMEOUT_SECONDS"] == given


def test_a_shorter_deadline_of_the_installation_shortens_the_limit() -> None:
    spec = cron_job(policy=replace(POLICY, deadline_seconds=70, longest_run_seconds=10))["spec"][
        "jobTemplate"
    ]["spec"]
    env = {
        variable["name"]: variable.get("value")
        for variable in spec["template"]["spec"]["containers"][0]["env"]
    }
    assert (spec["activeDeadlineSeconds"], env["AGENTJOBS_TIMEOUT_SECONDS"]) == (70, "10")


def test_what_the_job_asks_for_wins_over_the_installations_defaults() -> None:
    assert pod(resources={"limits": {"memory": "1Gi"}})["containers"][0]["resources"] == {
        "requests": {"cpu": "50m"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    }


def test_variables_and_claims_reach_the_pod() -> None:
    spec = pod(
        env=[
            {"name": "A", "value": "x"},
            {"name": "E", "value": ""},
            {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        workspace={"claimName": "reports"},
    )
    assert spec["containers"][0]["env"][-3:] == [
        {"name": "A", "value": "x"},
        {"name": "E"},
        {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    assert {"name": "workspace", "persistentVolumeClaim": {"claimName": "reports"}} in spec[
        "volumes"
    ]


def test_the_runner_is_told_which_variables_come_from_secrets() -> None:
    secret = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
        for name in ("T", "U")
    ]
    env = {
        variable["name"]: variable.get("value")
        for variable in pod(env=[{"name": "A", "value": "x"}, *secret])["containers"][0]["env"]
    }
    assert env["AGENTJOBS_SECRET_VARIABLES"] == "T,U"
    assert "AGENTJOBS_SECRET_VARIABLES" not in {
        variable["name"] for variable in pod()["containers"][0]["env"]
    }


def test_without_a_schedule_the_cron_job_is_a_suspended_template() -> None:
    assert cron_job()["spec"]["suspend"] is True
    assert cron_job(schedule={"cron": "0 8 * * 1"})["spec"]["suspend"] is False
    assert cron_job(suspended=True, schedule={"cron": "0 8 * * 1"})["spec"]["suspend"] is True


def test_the_revision_is_immutable_and_holds_exactly_what_was_approved() -> None:
    job, approved = observed()
    revision = records.revision(job, approved)
    assert revision["immutable"] is True
    assert revision["metadata"]["name"] == f"report-{approved.digest}"
    assert revision["data"] == {"revision.json": approved.document.decode()}


def test_everything_belongs_to_the_job_and_nothing_blocks_its_deletion() -> None:
    job, approved = observed()
    for body in (records.revision(job, approved), cron_job()):
        assert body["metadata"]["ownerReferences"][0]["uid"] == "uid"
        assert "blockOwnerDeletion" not in body["metadata"]["ownerReferences"][0]
        assert "finalizers" not in body["metadata"]


def test_a_cron_job_as_written_has_no_drift_and_a_changed_spec_has() -> None:
    body = cron_job(schedule={"cron": "0 8 * * 1"})
    body["metadata"] |= {"uid": "c", "resourceVersion": "1"}
    assert cron_job_view(body).spec_hash == spec_hash(
        cron_job(schedule={"cron": "0 8 * * 1"})["spec"]
    )
    body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["hostPID"] = True
    assert cron_job_view(body).spec_hash != spec_hash(
        cron_job(schedule={"cron": "0 8 * * 1"})["spec"]
    )
