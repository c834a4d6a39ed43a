"""Jobs that ask for packages, and decisions about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from agentjobs.core.approval.in_force import current_content
from agentjobs.core.content.packages import (
    PackageApprovalView,
    Packages,
    inventory,
    package_approval_view,
)
from agentjobs.core.observed import Observed
from agentjobs.core.runner.installer import Resolution
from agentjobs.core.workload.settings import PackagePolicy
from tests.support import manifests as written
from tests.support.decisions import approved, cron_job, observed
from tests.support.endings import JOB, NEVER, RUN
from tests.support.workload import POLICY, timed

IMAGE = inventory({"requests": "2.32.3", "PyYAML": "6.0", "odd": "not a version"})


def decided(
    *pins: str, decision: Literal["Approved", "Denied"] = "Approved"
) -> PackageApprovalView:
    body = written.package_approval(packages=list(pins), decision=decision)
    return package_approval_view(body)


def asking(pins: list[str], *decisions: PackageApprovalView, **spec: Any) -> Observed:
    """A job that asks for these packages."""
    return replace(observed(packages=pins, **spec), packages=Packages(IMAGE, decisions))


PINS = ["requests==2.32.3", "Six==1.17.0"]
HASH = "0" * 64
REQUIREMENTS = (
    f"requests==2.32.3 \\\n    --hash=sha256:{HASH}\nsix==1.17.0 \\\n    --hash=sha256:{HASH} \\\n "
    f"   --hash=sha256:{HASH}\n"
)
FOUND = Resolution(("requests==2.32.3", "six==1.17.0"), REQUIREMENTS)
CHOSEN = replace(POLICY, inventory=IMAGE, packages=PackagePolicy(timeout_seconds=60))


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


LAST_WORD = {
    "version": 1,
    "digest": "d",
    "reason": "PackageInstallFailed",
    "message": "uv could not",
    "sha256": "",
}
"""The termination message of an installer that failed."""
