#!/usr/bin/env python3
"""A job's life on a cluster with agentjobs: written, read, approved, run, and its record read back.

`make demo` starts a local cluster and calls this. For another cluster set KUBECONFIG and have
kubectl on PATH. Every command is shown as you would type it in the checkout. Running it again
reuses what is there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = "examples/weekly-web-report"
JOB, CLAIM, LOADER = "weekly-web-report", "web-logs", "web-logs-loader"
LOADED = "agentjobs-demo/logs"
"""Annotation of the claim: the checksum of the logs that were copied into it."""
UID = 65532
"""The runner's: what the loader writes has to be readable for the job."""
API = "agentjobs.dev/v1alpha1"
TELL_SECONDS = 5
ANSWER = "--timeout=60s"
Object = Mapping[str, Any]


class DemoError(Exception):
    """What went wrong, in a sentence, and what to look at."""

    def __init__(self, what: str, look: str) -> None:
        super().__init__(f"{what}\nLook at: {look}")


class Screen:
    """Steps with the seconds since the beginning, commands at the margin, answers indented."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._step = 0

    def _stamp(self) -> str:
        return f"[{time.monotonic() - self._started:5.1f} s]"

    def step(self, title: str) -> None:
        self._step += 1
        print(f"\n{self._stamp()} {self._step}. {title}", flush=True)

    def command(self, text: str) -> None:
        print(f"$ {text}", flush=True)

    def answer(self, text: str) -> None:
        for line in text.splitlines():
            print(f"    {line}".rstrip(), flush=True)

    def waiting(self) -> None:
        print(f"{self._stamp()} still waiting", flush=True)

    def end(self) -> None:
        print(f"\n{self._stamp()} done")


class Kubectl:
    """kubectl in the demo's namespace.

    Each command is shown; one that fails raises DemoError with kubectl's own words.
    """

    def __init__(self, screen: Screen, namespace: str) -> None:
        self.screen = screen
        self.namespace = namespace

    def __call__(self, *words: str, stdin: str = "", look: str = "", quiet: bool = False) -> str:
        """What it prints. `quiet`: it is not shown, since we show it in another form."""
        self.screen.command(self.typed(*words) + (f" <<'END'\n{stdin}END" if stdin else ""))
        output = self._run(words, stdin, look or self.typed("get", "events"))
        if not quiet:
            self.screen.answer(output)
        return output

    def typed(self, *words: str) -> str:
        return shlex.join(self._command(words))

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return (
            ["kubectl", *words]
            if "--all-namespaces" in words
            else ["kubectl", "-n", self.namespace, *words]
        )

    def json(self, *words: str, look: str = "") -> Any:
        return json.loads(self(*words, "-o", "json", look=look, quiet=True))

    def apply(self, manifest: Object, look: str = "") -> None:
        self("apply", "-f", "-", stdin=yaml(manifest), look=look)

    def _run(self, words: tuple[str, ...], stdin: str, look: str) -> str:
        pipe, rest = subprocess.PIPE, stdin or None
        with subprocess.Popen(
            self._command(words), stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT
        ) as process:
            while True:
                try:
                    output, errors = process.communicate(rest, timeout=TELL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    rest = None
                    self.screen.waiting()
        if process.returncode:
            # kubectl's log lines, which begin like E1122, say less than its last words.
            said = (
                " ".join(line for line in errors.splitlines() if not re.match(r"[EWI]\d{4} ", line))
                or f"exit code {process.returncode}"
            )
            raise DemoError(f"`{self.typed(*words)}` failed: {said}", look)
        return output


def yaml(value: Object) -> str:
    """Block style, as people write it."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Object) -> Iterator[str]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(inner))
        elif isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            yield f"{key}:"
            for item in inner:
                first, *others = _lines(item)
                yield from (f"  - {first}", *(f"    {line}" for line in others))
        else:
            # JSON is YAML, too. Only what YAML could take for something else than text needs its
            # quotes.
            plain = isinstance(inner, str) and re.fullmatch(
                r"(?!(y|n|yes|no|on|off|true|false|null)$)[A-Za-z/]([-\w./]|:(?=\w))*",
                inner,
                re.IGNORECASE,
            )
            yield f"{key}: {inner if plain else json.dumps(inner)}"


def table(rows: Mapping[str, object]) -> str:
    """What has a value, one line each; of a list one line for each entry."""
    lines = []
    for name, value in rows.items():
        entries = value if isinstance(value, list) else [value]
        for number, entry in enumerate(entries):
            if entry is not None and entry != "":
                lines.append(f"{'' if number else name:<16} {entry}")
    return "\n".join(lines)


def find_operator(kubectl: Kubectl) -> Object:
    """The operator's ConfigMap, which holds its settings."""
    kubectl.screen.step("Is the operator there?")
    if shutil.which("kubectl") is None:
        raise DemoError("kubectl is not on PATH.", "`make demo`, which brings its own")
    look = (
        "whether KUBECONFIG names the cluster that you mean, and `make install`, which installs the"
        " operator on the local one"
    )
    found = kubectl.json(
        "get",
        "deployments",
        "--all-namespaces",
        "-l",
        "app.kubernetes.io/name=agentjobs",
        look=look,
    )["items"]
    if not found:
        raise DemoError("agentjobs is not installed on this cluster.", look)
    place = found[0]["metadata"]["namespace"], found[0]["metadata"]["name"]
    if not found[0].get("status", {}).get("availableReplicas"):
        raise DemoError(
            "The operator is installed, but does not run.",
            f"kubectl -n {place[0]} describe pods; kubectl -n {place[0]} logs deploy/{place[1]}",
        )
    kubectl.screen.answer(f"{place[1]} runs in namespace {place[0]}")
    maps = kubectl.json(
        "get", "configmaps", "--all-namespaces", "-l", "app.kubernetes.io/name=agentjobs", look=look
    )["items"]
    return next(each for each in maps if each["metadata"]["name"] == f"{place[1]}-config")


def runner(document: str) -> tuple[str, str]:
    """The image of runs and when it is pulled, from the operator's settings.

    They are YAML, which Python cannot read by itself.
    """
    found = re.search(
        r'^runner:\n  image: "(.+)"\n  imagePullPolicy: (\w+)$', document, re.MULTILINE
    )
    if found is None:
        raise DemoError(
            "The operator's settings do not begin as this demo knows them.",
            "whether chart and checkout are of one version",
        )
    return found[1], found[2]


def prepare(kubectl: Kubectl) -> None:
    kubectl.screen.step(
        "A namespace that refuses pods with too many rights, and a claim for the job's data"
    )
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": kubectl.namespace, "labels": labels},
        }
    )
    if (
        kubectl("get", "namespace", kubectl.namespace, "-o", "jsonpath={.status.phase}")
        == "Terminating"
    ):
        raise DemoError(
            "This namespace is being deleted.",
            f"kubectl get namespace {kubectl.namespace}, and run this again when it is gone",
        )
    kubectl("apply", "-f", f"{EXAMPLE}/claim.yaml")


def checksum() -> str:
    """Of all logs, one after the other."""
    return hashlib.sha256(
        b"".join(path.read_bytes() for path in sorted((ROOT / EXAMPLE / "logs").iterdir()))
    ).hexdigest()


def load_logs(kubectl: Kubectl, settings: Object) -> None:
    """Through a pod that lives only for this; the claim remembers what it holds."""
    kubectl.screen.step("The web server's logs, into the claim")
    annotations = kubectl.json("get", "pvc", CLAIM)["metadata"].get("annotations", {})
    if annotations.get(LOADED) == checksum():
        kubectl.screen.answer("they are in it already")
        return
    look = kubectl.typed("describe", "pod", LOADER)
    kubectl("delete", "pod", LOADER, "--ignore-not-found")
    kubectl.apply(loader(settings), look)
    kubectl("wait", "--for=condition=Ready", f"pod/{LOADER}", "--timeout=120s", look=look)
    kubectl("exec", LOADER, "--", "rm", "-rf", "/workspace/logs", look=look)
    kubectl("cp", f"{EXAMPLE}/logs", f"{LOADER}:/workspace", look=look)
    arrived = kubectl(
        "exec", LOADER, "--", "sh", "-c", "cat /workspace/logs/* | sha256sum", look=look
    ).split()[0]
    if arrived != checksum():
        raise DemoError("The logs did not arrive whole.", f"{EXAMPLE}/logs, and run this again")
    kubectl("annotate", "pvc", CLAIM, f"{LOADED}={arrived}", "--overwrite")
    kubectl("delete", "pod", LOADER, "--wait=false")


def loader(settings: Object) -> Object:
    image, pull_policy = runner(settings["data"]["config.yaml"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": LOADER},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 600,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": UID,
                "runAsGroup": UID,
                "fsGroup": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "loader",
                    "image": image,
                    "imagePullPolicy": pull_policy,
                    "command": ["sleep", "600"],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "workspace", "mountPath": "/workspace"}],
                }
            ],
            "volumes": [{"name": "workspace", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    }


def write_job(kubectl: Kubectl) -> Object:
    """The job with the operator's answer to it as it is now."""
    kubectl.screen.step("The job. Writing one runs nothing")
    kubectl("apply", "-f", f"{EXAMPLE}/job.yaml")
    generation = kubectl("get", "saj", JOB, "-o", "jsonpath={.metadata.generation}")
    answered = f"--for=jsonpath={{.status.observedGeneration}}={generation}"
    kubectl(
        "wait",
        answered,
        f"saj/{JOB}",
        ANSWER,
        look="the operator's log: kubectl logs -n agentjobs-system deploy/agentjobs",
    )
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
    kubectl.screen.answer(
        table(
            {
                "job": card["name"],
                "description": card["description"],
                "schedule": card["schedule"],
                "next starts": card.get("nextStarts"),
                "may use": (
                    [f"the volume {claim}" for claim in card.get("claims", [])]
                    + [f"the secret {name}" for name in card.get("secrets", [])]
                ),
                "variables": card.get("variables"),
                "ends after": f"{card['timeoutSeconds']} s",
                "script": f"{lines} lines of Python, to be read as well; see below",
                "digest": card["digest"],
            }
        )
    )
    kubectl.screen.answer(
        "The digest stands for all of this and for the script, which this prints:"
    )
    kubectl.screen.answer(
        "  " + kubectl.typed("get", "saj", JOB, "-o", "jsonpath={.spec.script.inline}")
    )


def condition(job: Object, kind: str) -> Object:
    found: list[Object] = job.get("status", {}).get("conditions", [])
    return next((entry for entry in found if entry["type"] == kind), {})


def approve(kubectl: Kubectl, job: Object) -> None:
    kubectl.screen.step("The approval, of exactly this content")
    digest, approval = job["status"]["card"]["digest"], job["status"].get("approval", {})
    if approval.get("digest") == digest:
        kubectl("get", "aja")
        kubectl.screen.answer(
            f"approved already, by {approval.get('by', 'somebody')} at {approval.get('at')}"
        )
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
    kubectl(
        "wait",
        "--for=condition=Ready",
        f"saj/{JOB}",
        ANSWER,
        look=kubectl.typed("describe", "saj", JOB),
    )


def show_schedule(kubectl: Kubectl) -> None:
    kubectl.screen.step("From now on Kubernetes starts it")
    kubectl("get", "cronjob", JOB)
    when = kubectl("get", "saj", JOB, "-o", "jsonpath={.status.nextRunAt}", quiet=True)
    kubectl.screen.answer(
        f"next start: {when} (UTC)"
        if when
        else "no next start: the job is suspended; runs by hand still work"
    )


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
    kubectl(
        "wait",
        "--for=jsonpath={.status.finishedAt}",
        f"ajr/{run}",
        "--timeout=180s",
        look=kubectl.typed("describe", "ajr", run),
    )
    return run


def show_record(kubectl: Kubectl, run: str) -> None:
    kubectl.screen.step(
        "Its record, read back from the API. It stays when the pod and its log are gone"
    )
    kubectl("get", "ajr", run)
    kubectl("get", "ajr", run, "-o", "jsonpath={.status.stdout}")
    kubectl("get", "ajr", run, "-o", "jsonpath={.status.stderr}")
    status = kubectl.json("get", "ajr", run)["status"]
    fields = (
        "phase",
        "reason",
        "message",
        "exitCode",
        "startedAt",
        "finishedAt",
        "digest",
        "logsComplete",
        "podName",
        "runnerImage",
    )
    kubectl.screen.answer(table({name: status.get(name) for name in fields}))
    if status["phase"] != "Succeeded":
        raise DemoError(
            f"The run ended as {status['phase']}: {status.get('message')}.",
            kubectl.typed("describe", "ajr", run),
        )


def show_more(kubectl: Kubectl) -> None:
    kubectl.screen.step("What to try next")
    place = os.environ.get("KUBECONFIG")
    if place:
        bin_directory = Path(shutil.which("kubectl") or "kubectl").parent
        print(
            f"In your own shell, first:  export KUBECONFIG={shlex.quote(place)}"
            f" PATH={shlex.quote(str(bin_directory))}:$PATH\n"
        )
    change = kubectl.typed(
        "patch", "saj", JOB, "--type=merge", "-p", '{"spec":{"timeoutSeconds":60}}'
    )
    for what, command in (
        (
            (
                "Change the job, and see that the approved content stays in force while the new one"
                " waits:"
            ),
            f"{change} && {kubectl.typed('get', 'saj')}",
        ),
        ("Everything there is, in all namespaces:", "kubectl get agentjobs --all-namespaces"),
        ("Remove all of this again:", f"kubectl delete namespace {kubectl.namespace}"),
    ):
        print(what)
        kubectl.screen.command(command)


def demonstrate(namespace: str) -> None:
    kubectl = Kubectl(Screen(), namespace)
    settings = find_operator(kubectl)
    prepare(kubectl)
    load_logs(kubectl, settings)
    job = write_job(kubectl)
    show_card(kubectl, job)
    approve(kubectl, job)
    show_schedule(kubectl)
    show_record(kubectl, run_now(kubectl))
    show_more(kubectl)
    kubectl.screen.end()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--namespace",
        default="agentjobs-demo",
        help="where the job lives; it is created (default: %(default)s)",
    )
    arguments = parser.parse_args()
    try:
        demonstrate(arguments.namespace)
    except DemoError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; run it again, it goes on with what is there", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
