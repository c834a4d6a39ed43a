"""What to do about a reason, in a sentence or two: the same as docs/troubleshooting.md. Pure."""

from __future__ import annotations

from typing import Final

RUNS: Final = {
    "NotApproved": "approve, then start it again",
    "Paused": "nothing, or `kubectl saj resume JOB`",
    "Overlap": "wait, or cancel the other one",
    "SessionBusy": "wait for it",
    "NoTrigger": "compare them with `spec.triggers`, or send the event to another job",
    "EventName": "name it as the event says",
    "ChainCycle": "remove one of them from the others' `triggers`",
    "ChainTooLong": "split the chain: give one of its jobs a schedule of its own",
    "EventInvalid": "correct the data, or have a wider schema approved",
    "Replaced": "as asked; `concurrencyPolicy: Forbid` lets runs finish",
    "JobNotFound": "correct the name, or create the job again",
    "CancelledByUser": "start it again",
    "CancelledBeforeStart": "start it again",
    "ApprovalRevoked": "ask who deleted it; approve again",
    "PackageRevoked": "ask who deleted it; approve again",
    "ScriptFailed": "`kubectl saj logs RUN --stderr`",
    "SyntaxError": "correct it; the new text needs an approval",
    "EncodingRefused": "remove that comment, or write `utf-8`; the new text needs an approval",
    "MissingImport": "add the package that the message names to `spec.packages`",
    "KilledBySignal": "look at what the script starts; a segmentation fault is one, too",
    "OOMKilled": "raise `spec.resources.limits.memory`, or read less at once",
    "Evicted": "set requests that fit",
    "Timeout": "make it faster, or raise the limit",
    "DeadlineExceeded": "find out why it waited: a run stays Pending",
    "StartTimeout": "the message says why: a run stays Pending",
    "StartFailed": "use a runner image that has both",
    "PackageInstallFailed": "what uv says",
    "Disrupted": "start it again, if running twice does no harm",
    "Terminated": "start it again, if running twice does no harm",
    "JobDeleted": "use `kubectl saj cancel`; see who may do that in the audit log",
    "PodDeleted": "use `kubectl saj cancel`; see who may do that in the audit log",
    "PodFailed": "`kubectl describe node`, the container runtime's log; start it again",
    "Error": "`kubectl describe node`, the container runtime's log; start it again",
    "ExitCodeMismatch": "read the script: it may have tried to write one",
    "RunnerFailed": "report it, with the message",
    "DigestMismatch": (
        "somebody with the verb `bypass` did it: see the audit log. Delete the ConfigMap"
        " `JOB-DIGEST`; the operator writes the approved one again"
    ),
    "RevisionUnreadable": (
        "somebody with the verb `bypass` did it: see the audit log. Delete the ConfigMap"
        " `JOB-DIGEST`; the operator writes the approved one again"
    ),
}
"""By a run's reason."""
CONDITIONS: Final = {
    "PendingApproval": "approve it",
    "Changed": "look at `kubectl saj diff JOB`, then approve or change it back",
    "DigestMismatch": "read it again, approve `status.card.digest`",
    "SecondPersonNeeded": "have somebody else approve",
    "Denied": "change the job, or delete the denial",
    "PackagesPending": "decide on them",
    "PackageDenied": "name another version, or delete the denial",
    "InvalidSpec": "write what the message says; `kubectl explain saj.spec`",
    "SourceMissing": "create it in the job's namespace",
    "SourceNotLabelled": "`kubectl label configmap NAME agentjobs.dev/source=true`",
    "SourceInvalid": "correct the text",
    "NameTaken": "remove the other object, or rename the job",
    "PolicyMissing": "`helm upgrade`, then look at the approvals made in the meantime",
    "ClusterRefused": "raise the quota, or let the operator's account do what the message quotes",
    "Deleting": (
        "`kubectl get saj JOB -o jsonpath='{.metadata.finalizers}'` names it; ask its owner to"
        " remove it, or cancel and deny what still runs"
    ),
    "NotApproved": "see `Approved`",
    "Scheduled": "see `Approved`",
    "NoSchedule": "give it a schedule, or start it by hand",
    "Suspended": "`kubectl saj resume JOB`",
    "PausedAfterFailures": "fix it and start it once",
    "NeverDue": "correct the schedule",
    "Past": "set another time, or start it by hand",
}
"""By the reason of a job's condition."""


def of_run(reason: object) -> str:
    """Empty where there is nothing to do."""
    return RUNS.get(str(reason), "")


def of_condition(reason: object) -> str:
    """Empty where there is nothing to do."""
    return CONDITIONS.get(str(reason), "")
