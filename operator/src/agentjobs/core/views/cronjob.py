"""The CronJob of a job, reduced to what decisions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentjobs.api import names
from agentjobs.core.views.metadata import Body, annotations_of, controller_uid, labels_of
from agentjobs.core.views.spec_hash import spec_hash


@dataclass(frozen=True, slots=True)
class CronJobView:
    """The CronJob of a job. Compare `spec_hash` with that of the manifest we would write."""

    name: str
    uid: str
    resource_version: str
    owner_uid: str | None
    spec_hash: str
    labelled: bool
    schedule: str
    time_zone: str
    suspended: bool
    deleting: bool
    digest: str | None
    active: tuple[Mapping[str, str], ...]

    def belongs_to(self, job_uid: str) -> bool:
        """Whether the operator made it for this job.

        Only it can set the labels; anybody can set or remove an owner.
        """
        return self.labelled and self.owner_uid in (job_uid, None)


def cron_job_view(body: Body) -> CronJobView:
    """The view of a batch/v1 CronJob."""
    metadata, spec = body["metadata"], body["spec"]
    labels = labels_of(body)
    managed = labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY
    return CronJobView(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        owner_uid=controller_uid(body),
        spec_hash=spec_hash(spec),
        labelled=managed and labels.get(names.JOB_LABEL) == metadata["name"],
        schedule=spec["schedule"],
        time_zone=spec.get("timeZone") or "",
        suspended=bool(spec.get("suspend")),
        deleting="deletionTimestamp" in metadata,
        digest=annotations_of(body).get(names.DIGEST_ANNOTATION),
        active=tuple((body.get("status") or {}).get("active") or ()),
    )
