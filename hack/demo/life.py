"""The job's life: written, read, approved, run, and its record read back."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from hack.demo.kubectl import Kubectl, Object, yaml
from hack.demo.place import EXAMPLE
from hack.demo.screen import DemoError, table

JOB = "weekly-web-report"
API = "agentjobs.dev/v1alpha1"
ANSWER = "--timeout=60s"
FIELDS = (
    *"phase reason message exitCode startedAt finishedAt".split(),
    *"digest logsComplete podName runnerImage".split(),
)
"""Of a record, as they are shown."""


def write_job(kubectl: Kubectl) -> Object:
    """The job with the operator's answer to it as it is now."""
    kubectl.screen.step("The job. Writing one runs nothing")
    kubectl("apply", "-f", f"{EXAMPLE}/job.yaml")
    generation = kubectl("get", "saj", JOB, "-o", "jsonpath={.metadata.generation}")
    answered = f"--for=jsonpath={{.status.observedGeneration}}={generation}"
    look = "the operator's log: kubectl logs -n agentjobs-system deploy/agentjobs"
    kubectl("wait", answered, f"saj/{JOB}", ANSWER, look=look)
    kubectl("get", "saj", JOB)
    return kubectl.json("get", "saj", JOB)  # type: ignore[no-any-return]


def show_card(kubectl: Kubectl, job: Object) -> None:
    kubectl.screen.step("Its card: what a person reads before approving")
    card = job["status"].get("card")
    if not card:
        ready = condition(job, "Ready")
        raise DemoError(
            f"The job is not valid: {ready.get('message', 'the operator says nothing')}.",
            kubectl.typed("describe", "saj", JOB),
        )
    lines = len(job["spec"]["script"]["inline"].splitlines())
    may_use = [f"the volume {claim}" for claim in card.get("claims", [])]
    may_use += [f"the secret {name}" for name in card.get("secrets", [])]
    rows = {
        "job": card["name"],
        "description": card["description"],
        "schedule": card["schedule"],
        "next starts": card.get("nextStarts"),
        "may use": may_use,
        "variables": card.get("variables"),
        "ends after": f"{card['timeoutSeconds']} s",
        "script": f"{lines} lines of Python, to be read as well; see below",
        "digest": card["digest"],
    }
    script = kubectl.typed("get", "saj", JOB, "-o", "jsonpath={.spec.script.inline}")
    kubectl.screen.answer(table(rows))
    kubectl.screen.answer(
        f"The digest stands for all of this and for the script, which this prints:\n  {script}"
    )


def condition(job: Object, kind: str) -> Object:
    found: list[Object] = job.get("status", {}).get("conditions", [])
    return next((entry for entry in found if entry["type"] == kind), {})


def approve(kubectl: Kubectl, job: Object) -> None:
    kubectl.screen.step("The approval, of exactly this content")
    digest, approval = job["status"]["card"]["digest"], job["status"].get("approval", {})
    if approval.get("digest") == digest:
        kubectl("get", "aja")
        by, at = approval.get("by", "somebody"), approval.get("at")
        kubectl.screen.answer(f"approved already, by {by} at {at}")
        return
    if condition(job, "Approved").get("reason") == "Denied":
        raise DemoError(
            "This content was denied.",
            kubectl.typed("get", "aja") + ", and delete the denial to go on",
        )
    me = kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    spec = {"jobName": JOB, "digest": digest, "decision": "Approved", "approvedBy": me}
    kubectl.apply(
        {
            "apiVersion": API,
            "kind": "AgentJobApproval",
            "metadata": {"name": f"{JOB}-{digest[:10]}"},
            "spec": spec,
        }
    )
    look = kubectl.typed("describe", "saj", JOB)
    kubectl("wait", "--for=condition=Ready", f"saj/{JOB}", ANSWER, look=look)


def show_schedule(kubectl: Kubectl) -> None:
    kubectl.screen.step("From now on Kubernetes starts it")
    kubectl("get", "cronjob", JOB)
    when = kubectl("get", "saj", JOB, "-o", "jsonpath={.status.nextRunAt}", quiet=True)
    none = "no next start: the job is suspended; runs by hand still work"
    kubectl.screen.answer(f"next start: {when} (UTC)" if when else none)


def run_now(kubectl: Kubectl) -> str:
    """The run's name, once it is finished."""
    kubectl.screen.step("Why wait: a run by hand")
    body = {
        "apiVersion": API,
        "kind": "AgentJobRun",
        "metadata": {"generateName": f"{JOB}-"},
        "spec": {"jobName": JOB},
    }
    run = kubectl("create", "-f", "-", "-o", "jsonpath={.metadata.name}", stdin=yaml(body))
    look = kubectl.typed("describe", "ajr", run)
    finished = "--for=jsonpath={.status.finishedAt}"
    kubectl("wait", finished, f"ajr/{run}", "--timeout=180s", look=look)
    return run


def show_record(kubectl: Kubectl, run: str) -> None:
    kubectl.screen.step(
        "Its record, read back from the API. It stays when the pod and its log are gone"
    )
    kubectl("get", "ajr", run)
    kubectl("get", "ajr", run, "-o", "jsonpath={.status.stdout}")
    kubectl("get", "ajr", run, "-o", "jsonpath={.status.stderr}")
    status = kubectl.json("get", "ajr", run)["status"]
    kubectl.screen.answer(table({name: status.get(name) for name in FIELDS}))
    if status["phase"] != "Succeeded":
        raise DemoError(
            f"The run ended as {status['phase']}: {status.get('message')}.",
            kubectl.typed("describe", "ajr", run),
        )


def show_more(kubectl: Kubectl) -> None:
    kubectl.screen.step("What to try next")
    place = os.environ.get("KUBECONFIG")
    if place:
        config, tools = shlex.quote(place), Path(shutil.which("kubectl") or "kubectl").parent
        path = shlex.quote(str(tools))
        print(f"In your own shell, first:  export KUBECONFIG={config} PATH={path}:$PATH\n")
    patch = '{"spec":{"timeoutSeconds":60}}'
    change = kubectl.typed("patch", "saj", JOB, "--type=merge", "-p", patch)
    changing = "Change the job, and see that the approved content stays in force"
    for what, command in (
        (f"{changing} while the new one waits:", f"{change} && {kubectl.typed('get', 'saj')}"),
        ("Everything there is, in all namespaces:", "kubectl get agentjobs --all-namespaces"),
        ("Remove all of this again:", f"kubectl delete namespace {kubectl.namespace}"),
    ):
        print(what)
        kubectl.screen.command(command)
