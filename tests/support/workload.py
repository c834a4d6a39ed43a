"""What the installation fixes for runs in tests, and contents with a schedule."""

from __future__ import annotations

from typing import Any

from agentjobs.api.container import ResourceList, Resources
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core import naming
from agentjobs.core.content.digest import Content, content
from agentjobs.core.views.job import JobView, job_view
from agentjobs.core.workload import cronjob
from agentjobs.core.workload.pod import Frozen
from agentjobs.core.workload.settings import RunPolicy
from tests.support import manifests as written

POLICY = RunPolicy(
    image="runner:1",
    image_pull_policy="IfNotPresent",
    deadline_seconds=3600,
    longest_run_seconds=3540,
    start_timeout_seconds=600,
    resources=Resources(
        requests=ResourceList(cpu="50m"), limits=ResourceList(cpu="1", memory="512Mi")
    ),
    uid=65532,
)


def observed(**spec: Any) -> tuple[JobView, Content]:
    body = written.job("report", **spec)
    body["metadata"] |= {"namespace": "ns", "uid": "uid", "resourceVersion": "1", "generation": 1}
    return job_view(body), content("report", ScheduledAgentJobSpec.model_validate(body["spec"]))


def timed(
    job: JobView,
    content: Content,
    policy: RunPolicy,
    *,
    suspended: bool = False,
    kept: bool = False,
) -> dict[str, Any]:
    """The CronJob of a content whose schedule needs no arming."""
    frozen = Frozen(naming.revision_name(job.name, content.digest), kept)
    return cronjob.cron_job(
        job, content, policy, cronjob.plain(content.spec.schedule, suspended=suspended), frozen
    )


def cron_job(suspended: bool = False, policy: RunPolicy = POLICY, **spec: Any) -> dict[str, Any]:
    return timed(*observed(**spec), policy, suspended=suspended)


def pod(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = cron_job(**spec)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found
