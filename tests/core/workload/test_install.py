"""A job with packages: its pod, and what its installer says.

Also what is kept of that, and what it makes of the run.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core.approval.in_force import current_content, in_force
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runs import resolutions
from agentjobs.core.runs.outcome import Ending, record
from agentjobs.core.views.pod import PodView, pod_view
from agentjobs.core.workload import install
from agentjobs.core.workload.settings import PackagePolicy
from tests.support.decisions import NOW, observed
from tests.support.endings import JOB, NEVER, RUN
from tests.support.packages import (
    CHOSEN,
    FOUND,
    LAST_WORD,
    PINS,
    mounts,
    pod,
    with_run,
)
from tests.support.workload import timed

EVERYTHING = PackagePolicy("https://i.example/simple", "ca", "", "root.pem", "login", "cache", 60)


# The pod


def test_without_packages_of_its_own_a_pod_installs_nothing() -> None:
    for pins in ([], ["requests==2.32.3"]):
        assert "initContainers" not in pod(pins)
        assert "packages" not in mounts(pod(pins)["containers"][0])


def test_packages_go_into_a_volume_that_the_script_can_only_read() -> None:
    spec = pod(PINS)
    (installer,), (runner,) = spec["initContainers"], spec["containers"]
    assert mounts(installer)["packages"] == (install.PACKAGES_DIRECTORY, False)
    assert mounts(runner)["packages"] == (install.PACKAGES_DIRECTORY, True)
    assert {"name": names.PACKAGES_VARIABLE, "value": install.PACKAGES_DIRECTORY} in runner["env"]
    assert {"name": "packages", "emptyDir": {}} in spec["volumes"]
    for name in ("image", "imagePullPolicy", "resources", "securityContext"):
        assert installer[name] == runner[name]


def test_installer_and_script_get_nothing_of_each_other() -> None:
    job = observed(
        packages=PINS,
        env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    ).job
    body = timed(job, current_content(job), replace(CHOSEN, packages=EVERYTHING), kept=True)
    spec = body["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (installer,), (runner,) = spec["initContainers"], spec["containers"]
    assert {variable["name"] for variable in installer["env"]}.isdisjoint(
        {"TOKEN", "HOME", "JOB_RUN_ID"}
    )
    assert mounts(installer).keys() == {"revision", "packages", "resolution", "ca", "cache"}
    assert mounts(runner).keys() == {"revision", "workspace", "home", "tmp", "packages"}
    assert "login" not in json.dumps(runner)


def test_index_certificates_login_and_cache_are_those_of_the_installation() -> None:
    spec = pod(PINS, EVERYTHING)
    variables = spec["initContainers"][0]["env"]
    env = {
        variable["name"]: variable.get("value") or variable["valueFrom"]["secretKeyRef"]
        for variable in variables
    }
    assert env.pop("AGENTJOBS_DIGEST")
    assert env == {
        "AGENTJOBS_INSTALL_SECONDS": "60",
        "AGENTJOBS_INDEX_URL": "https://i.example/simple",
        "AGENTJOBS_CA_KEY": "root.pem",
        "AGENTJOBS_INDEX_USERNAME": {"name": "login", "key": "username"},
        "AGENTJOBS_INDEX_PASSWORD": {"name": "login", "key": "password"},
    }
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["ca"]["configMap"]["name"] == "ca"
    assert volumes["cache"]["persistentVolumeClaim"] == {"claimName": "cache"}
    secret = pod(PINS, replace(EVERYTHING, ca_config_map="", ca_secret="ca-secret"))
    assert (
        next(volume for volume in secret["volumes"] if volume["name"] == "ca")["secret"][
            "secretName"
        ]
        == "ca-secret"
    )


# What the installer says


# The pod's view and the run


def seen_pod(phase: str = "Pending", **state: Any) -> PodView:
    installer = {"name": "packages", "state": state}
    metadata = {"namespace": "ns", "name": "p", "uid": "u", "resourceVersion": "1"}
    runner = {"name": "runner", "state": {"waiting": {"reason": "PodInitializing"}}}
    return pod_view(
        {
            "metadata": metadata,
            "status": {
                "phase": phase,
                "initContainerStatuses": [installer],
                "containerStatuses": [runner],
            },
        }
    )


def test_why_an_installer_does_not_start_is_told_as_that_of_a_runner() -> None:
    assert seen_pod(
        waiting={"reason": "CreateContainerConfigError", "message": 'secret "login" not found'}
    ).waiting_message
    assert seen_pod(running={"startedAt": "2026-11-22T08:00:00Z"}).installing
    assert not seen_pod(terminated={"exitCode": 0}).installing


@pytest.mark.parametrize(
    ("ended", "reason", "part"),
    [
        ({"exitCode": 1, "message": json.dumps(LAST_WORD)}, "PackageInstallFailed", "uv could not"),
        (
            {"exitCode": 1, "message": json.dumps({**LAST_WORD, "reason": "DigestMismatch"})},
            "DigestMismatch",
            "uv could not",
        ),
        (
            {"exitCode": 137, "reason": "OOMKilled"},
            "PackageInstallFailed",
            "exited with code 137 (OOMKilled)",
        ),
        (
            {"exitCode": 2, "reason": "Error", "message": "garbage"},
            "PackageInstallFailed",
            "exited with code 2",
        ),
    ],
)
def test_a_failed_installation_is_the_runs_failure_with_its_words(
    ended: dict[str, Any], reason: str, part: str
) -> None:
    pod = seen_pod("Failed", terminated=ended)
    assert pod.ended
    found = record(Ending(replace(RUN, started=None), JOB, pod, Evidence(None)), None, "image", NOW)
    assert (found.phase, found.reason, found.logs_complete, found.runner_image) == (
        "Failed",
        reason,
        True,
        None,
    )
    assert part in (found.message or "")
    assert (found.stdout, found.stderr) == ("", "uv could not" if "uv" in part else "")


def test_an_installation_that_was_stopped_is_told_as_what_stopped_it() -> None:
    told = json.dumps({**LAST_WORD, "reason": "Terminated"})
    stopped = replace(
        seen_pod("Failed", terminated={"exitCode": 143, "message": told}), deletion=NOW
    )
    run = replace(RUN, started=None)
    assert record(Ending(run, JOB, stopped, Evidence(None)), None, "i", NOW).reason == "PodDeleted"
    revoked = replace(JOB, stop_reason="PackageRevoked")
    assert (
        record(Ending(run, revoked, stopped, Evidence(None)), None, "i", NOW).phase == "Cancelled"
    )


def test_the_record_lists_what_was_installed() -> None:
    found = record(Ending(RUN, JOB, NEVER, Evidence(None), FOUND), None, "i", NOW)
    assert found.resolved_packages == FOUND.resolved


# What is kept


def kept(seen: Observed) -> list[dict[str, Any]]:
    return [dict(write.body or {}) for write in resolutions.writes(seen, in_force(seen))]


def test_an_installing_run_says_so_and_does_not_hit_the_start_timeout() -> None:
    seen = with_run(installed={})
    installing = tuple(
        replace(each, install_exit=None, installing=True, waiting="PodInitializing")
        for each in seen.pods
    )
    waiting = tuple(replace(run, phase="Pending", started=None) for run in seen.runs)
    late = replace(
        seen,
        pods=installing,
        runs=waiting,
        batch_jobs=tuple(replace(job, created=NOW) for job in seen.batch_jobs),
    )
    plan = decide(late, replace(CHOSEN, start_timeout_seconds=0), NOW)
    (written,) = (dict(write.body or {})["status"] for write in plan.writes if write.kind == "run")
    assert (written["phase"], written["reason"]) == ("Pending", "Installing")
    assert [write for write in plan.writes if write.kind == "batchjob"] == []
