"""What a job needs before it is written: the operator, a namespace, a claim with its data."""

from __future__ import annotations

import hashlib
import re
import shutil

from hack.demo.kubectl import ROOT, Kubectl, Object
from hack.demo.screen import DemoError

EXAMPLE = "examples/weekly-web-report"
CLAIM, LOADER = "web-logs", "web-logs-loader"
LOADED = "agentjobs-demo/logs"
"""Annotation of the claim: the checksum of the logs that were copied into it."""
RUNNER = re.compile(r'^runner:\n  image: "(.+)"\n  imagePullPolicy: (\w+)$', re.MULTILINE)
"""How the operator's settings begin."""
UID = 65532
"""The runner's: what the loader writes has to be readable for the job."""


def find_operator(kubectl: Kubectl) -> Object:
    """The operator's ConfigMap, which holds its settings."""
    kubectl.screen.step("Is the operator there?")
    if shutil.which("kubectl") is None:
        raise DemoError("kubectl is not on PATH.", "`make demo`, which brings its own")
    look = (
        "whether KUBECONFIG names the cluster that you mean, and `make install`, which installs the"
        " operator on the local one"
    )
    everywhere = ("--all-namespaces", "-l", "app.kubernetes.io/name=agentjobs")
    found = kubectl.json("get", "deployments", *everywhere, look=look)["items"]
    if not found:
        raise DemoError("agentjobs is not installed on this cluster.", look)
    namespace, name = found[0]["metadata"]["namespace"], found[0]["metadata"]["name"]
    if not found[0].get("status", {}).get("availableReplicas"):
        raise DemoError(
            "The operator is installed, but does not run.",
            f"kubectl -n {namespace} describe pods; kubectl -n {namespace} logs deploy/{name}",
        )
    kubectl.screen.answer(f"{name} runs in namespace {namespace}")
    maps = kubectl.json("get", "configmaps", *everywhere, look=look)["items"]
    return next(each for each in maps if each["metadata"]["name"] == f"{name}-config")


def runner_image(document: str) -> tuple[str, str]:
    """The image of runs and when it is pulled, from the operator's settings.

    They are YAML, which Python cannot read by itself.
    """
    found = RUNNER.search(document)
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
    name, labels = kubectl.namespace, {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": name, "labels": labels}
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    phase = kubectl("get", "namespace", name, "-o", "jsonpath={.status.phase}")
    if phase == "Terminating":
        raise DemoError(
            "This namespace is being deleted.",
            f"kubectl get namespace {name}, and run this again when it is gone",
        )
    kubectl("apply", "-f", f"{EXAMPLE}/claim.yaml")


def checksum() -> str:
    """Of all logs, one after the other."""
    logs = sorted((ROOT / EXAMPLE / "logs").iterdir())
    return hashlib.sha256(b"".join(path.read_bytes() for path in logs)).hexdigest()


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
    summing = "cat /workspace/logs/* | sha256sum"
    arrived = kubectl("exec", LOADER, "--", "sh", "-c", summing, look=look).split()[0]
    if arrived != checksum():
        raise DemoError("The logs did not arrive whole.", f"{EXAMPLE}/logs, and run this again")
    kubectl("annotate", "pvc", CLAIM, f"{LOADED}={arrived}", "--overwrite")
    kubectl("delete", "pod", LOADER, "--wait=false")


def loader(settings: Object) -> Object:
    image, pull_policy = runner_image(settings["data"]["config.yaml"])
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
