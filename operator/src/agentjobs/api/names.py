"""The names of the API: group, kinds, labels.

They are a contract; none of them changes before a new API version.
"""

from __future__ import annotations

from typing import Final

GROUP: Final = "agentjobs.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

CONFIG_API_VERSION: Final = f"config.{GROUP}/v1alpha1"
CONFIG_KIND: Final = "OperatorConfiguration"
CONFIG_FILE: Final = "config.yaml"
"""The operator's settings: a key of the chart's ConfigMap, and a file of the operator's pod."""

JOB_KIND: Final = "ScheduledAgentJob"
RUN_KIND: Final = "AgentJobRun"
APPROVAL_KIND: Final = "AgentJobApproval"
PACKAGE_APPROVAL_KIND: Final = "PackageApproval"

JOBS: Final = "scheduledagentjobs"
RUNS: Final = "agentjobruns"
APPROVALS: Final = "agentjobapprovals"
PACKAGE_APPROVALS: Final = "packageapprovals"

JOB_LABEL: Final = f"{GROUP}/job"
"""On everything the operator owns; its value is the job's name."""
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "agentjobs"
PART_OF_LABEL: Final = "app.kubernetes.io/part-of"
PART_OF: Final = "agentjobs"
"""On the chart's admission policies, whatever the release is called."""
SOURCE_LABEL: Final = f"{GROUP}/source"
"""`true` on the ConfigMaps whose texts jobs may use; the operator looks at no others."""
DIGEST_ANNOTATION: Final = f"{GROUP}/digest"
"""On CronJobs, Jobs and pods: the approved content that they run."""
STOP_ANNOTATION: Final = f"{GROUP}/stop-reason"
"""On a Job that the operator stops: the reason, which becomes the run's."""
SKIP_ANNOTATION: Final = f"{GROUP}/skipped"
"""On a run that is not going to start: why, from the decision until its record says so."""
STARTED_AS_ANNOTATION: Final = f"{GROUP}/started-as"
"""On a manual run: the uid of its Job. No other Job of the same name is ever resumed for it."""
MADE_AS_ANNOTATION: Final = f"{GROUP}/made-as"
"""On a scheduled run: the uid of the Job that the CronJob controller made for it.

Only that Job's pod says how it ended."""
RUN_UID_ANNOTATION: Final = f"{GROUP}/run-uid"
"""On Jobs that the operator made: the uid of the run.

A later run with the same name, after this one was deleted, is another run."""
PACKAGES_ANNOTATION: Final = f"{GROUP}/packages"
"""On Jobs: the packages that needed their own approval when it started, joined by commas."""
PACKAGES_VARIABLE: Final = "AGENTJOBS_PACKAGES"
"""For the runner: where installed packages are, which it puts on the script's PYTHONPATH."""
EVENT_ANNOTATION: Final = f"{GROUP}/event"
"""On a pod that an event started: the event, as CloudEvents' JSON."""
TRIGGER_ANNOTATION: Final = f"{GROUP}/trigger"
"""On a Job that the operator created: `Manual` or `Schedule`; absent on a CronJob's own."""
REQUESTER_ANNOTATION: Final = f"{GROUP}/requested-by"
"""On a ScheduledAgentJob, where approval needs a second person: who changed its content last.

The API server writes it."""

MAX_JOB_NAME: Final = 52
"""A CronJob's name may have 52 characters: its controller appends eleven for the Job."""
