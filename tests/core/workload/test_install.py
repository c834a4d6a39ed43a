"""A job with packages: its pod, and what its installer says.

Also what is kept of that, and what it makes of the run.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agentjobs.api import names
from agentjobs.core import naming
from agentjobs.core.approval.in_force import current_content, in_force
from agentjobs.core.approval.revisions import left_over
from agentjobs.core.content.packages import Packages
from agentjobs.core.decide import decide
from agentjobs.core.observed import Observed
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runner.installer import (
    Installation,
    Resolution,
    read_installation,
    read_resolution,
)
from agentjobs.core.runner.lines import EnvelopeError
from agentjobs.core.runs import resolutions
from agentjobs.core.runs.cases import cases
from agentjobs.core.runs.outcome import Ending, record
from agentjobs.core.views.approvals import RevisionView
from agentjobs.core.views.cronjob import cron_job_view
from agentjobs.core.views.pod import PodView, pod_view
from agentjobs.core.views.spec_hash import spec_hash
from agentjobs.core.workload import install, records
from agentjobs.core.workload.settings import PackagePolicy
from agentjobs.testing.envelopes import envelope
from tests.support.decisions import NOW, approved, cron_job, observed
from tests.support.endings import JOB, NEVER, RUN
from tests.support.packages import IMAGE, asking, decided
from tests.support.workload import POLICY, timed

PINS = ["requests==2.32.3", "Six==1.17.0"]
HASH = "0" * 64
REQUIREMENTS = (
    f"requests==2.32.3 \\\n    --hash=sha256:{HASH}\nsix==1.17.0 \\\n    --hash=sha256:{HASH} \\\n "
    f"   --hash=sha256:{HASH}\n"
)
FOUND = Resolution(("requests==2.32.3", "six==1.17.0"), REQUIREMENTS)
CHOSEN = replace(POLICY, inventory=IMAGE, packages=PackagePolicy(timeout_seconds=60))
EVERYTHING = PackagePolicy("https://i.example/simple", "ca", "", "root.pem", "login", "cache", 60)


# The pod


def pod(
    pins: list[str], policy: PackagePolicy = CHOSEN.packages, *, kept: bool = False
) -> dict[str, Any]:
    job = observed(packages=pins).job
    body = timed(job, current_content(job), replace(CHOSEN, packages=policy), kept=kept)
    found: dict[str, Any] = body["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def mounts(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {
        mount["name"]: (mount["mountPath"], mount.get("readOnly", False))
        for mount in container["volumeMounts"]
    }


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


def said(resolved: object = "a==1", requirements: object = "", **more: object) -> tuple[bytes, str]:
    log = b"noise of uv\n" + envelope(
        json.dumps(
            {"version": 1, "resolved": resolved, "requirements": requirements, **more}
        ).encode()
    )
    return log, log.split()[-1].decode()


def test_what_was_installed_is_read_back() -> None:
    assert read_resolution(*said("requests==2.32.3\nsix==1.17.0", REQUIREMENTS)) == FOUND
    assert read_resolution(*said("a==1")) == Resolution(("a==1",), "")


@pytest.mark.parametrize(
    ("resolved", "requirements"),
    [
        (None, ""),
        ("a==1", 7),
        ("", ""),
        ("a==1\n-r x", ""),
        ("a>=1", ""),
        ("a==1", "a==2 \\\n"),
        ("a==1", "a==1 \\\n--index-url http://evil\n"),
        ("a==1", "a==1 \\\n    --hash=sha256:12\n"),
        ("a==1", "a==1 @ http://evil \\\n"),
        ("a==1", "x" * 600_001),
        ("\n".join(f"p{n}==1" for n in range(501)), ""),
    ],
)
def test_a_list_that_is_none_is_refused(resolved: object, requirements: object) -> None:
    with pytest.raises(EnvelopeError):
        read_resolution(*said(resolved, requirements))


def test_only_the_envelope_that_the_installer_named_counts() -> None:
    log, checksum = said("evil==1")
    with pytest.raises(EnvelopeError):
        read_resolution(log, "f" * 64)
    assert read_resolution(log, checksum).resolved == ("evil==1",)


GOOD = {
    "version": 1,
    "digest": "d",
    "reason": "PackageInstallFailed",
    "message": "uv could not",
    "sha256": "",
}


def test_a_termination_message_is_the_installers_or_nothing() -> None:
    assert read_installation(json.dumps(GOOD)) == Installation(
        "PackageInstallFailed", "uv could not", ""
    )
    bad: list[dict[str, object]]
    bad = [
        {"version": 2},
        {"reason": "no reason"},
        {"reason": 1},
        {"message": None},
        {"sha256": "12"},
        {"message": "x" * 5000},
    ]
    assert [read_installation(json.dumps({**GOOD, **change})) for change in bad] == [None] * len(
        bad
    )
    assert [read_installation(text) for text in ("", "[]", "{", "null", "[" * 2000)] == [None] * 5


def test_a_resolution_covers_pins_in_any_spelling_and_only_in_that_version() -> None:
    assert FOUND.covers(["SIX==1.17", "requests==2.32.3"])
    assert not FOUND.covers(["six==1.17.1"])
    assert not FOUND.covers(["six==1.17.0", "other==1"])


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
        ({"exitCode": 1, "message": json.dumps(GOOD)}, "PackageInstallFailed", "uv could not"),
        (
            {"exitCode": 1, "message": json.dumps({**GOOD, "reason": "DigestMismatch"})},
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
    told = json.dumps({**GOOD, "reason": "Terminated"})
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


def with_run(**changes: Any) -> Observed:
    """A job in force, with a run that has installed its packages."""
    asked = approved(
        replace(asking(PINS, decided(*PINS)), packages=Packages(IMAGE, (decided(*PINS),)))
    )
    digest = current_content(asked.job).digest
    batch = replace(JOB, name="now", digest=digest, owner_uid="cron", packages=("six==1.17",))
    run = replace(RUN, name="now", started_as=batch.uid)
    pod = replace(NEVER, run="now", owner_uid=batch.uid, install_exit=0)
    seen = replace(
        asked,
        cron_job=cron_job(asked),
        batch_jobs=(batch,),
        runs=(run,),
        pods=(pod,),
        installed={"now": FOUND},
    )
    return replace(seen, **changes)


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
