"""The cluster, through the user's own kubectl: its kubeconfig, its login, its rights.

Importing the Python client takes longer than a whole `kubectl saj list` may. See docs/decisions.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from threading import Timer
from typing import IO, Any, Final
from urllib.parse import urlencode

from agentjobs.actions import jobs
from agentjobs.api.kinds import KINDS, address
from agentjobs.cli.errors import ApiServerError, Exit, kubectl_error
from agentjobs.core.plan import PATCH, Write

Json = dict[str, Any]

FIRST_PAGE: Final = 50
PAGE: Final = 500
SECONDS: Final = 60
"""For one answer."""
AGAIN: Final = 1
"""Seconds between two watches of one object."""
PASSING: Final = frozenset({Exit.CLUSTER, Exit.TIMEOUT})
"""What may be otherwise when it is asked again."""
JOBS: Final = KINDS["job"].path
RUNS: Final = KINDS["run"].path
APPROVALS: Final = KINDS["approval"].path
PACKAGE_APPROVALS: Final = KINDS["packageapproval"].path
SECRETS: Final = KINDS["secret"].path
CLAIMS: Final = KINDS["claim"].path
CONFIG_MAPS: Final = KINDS["source"].path
WHO_AM_I: Final = KINDS["whoami"].path
MAY_I: Final = KINDS["may"].path
FIELD_MANAGER: Final = "kubectl-saj"


@dataclass(frozen=True)
class Kube:
    """One kubeconfig context.

    `chosen`: the namespace that was asked for; without one it is the context's.
    """

    kubeconfig: str | None = None
    context: str | None = None
    chosen: str | None = None

    @cached_property
    def namespace(self) -> str:
        """The one that was asked for, else the context's, else `default`."""
        return (
            self.chosen
            or self.run("config", "view", "--minify", "--output=jsonpath={..namespace}").strip()
            or "default"
        )

    def path(
        self, collection: str, name: str = "", namespace: str | None = None, **query: object
    ) -> str:
        """An address of the API.

        `namespace`: empty for all namespaces, None for the one of this context.
        """
        where = self.namespace if namespace is None else namespace
        wanted = {key: str(value) for key, value in query.items() if value}
        return address(collection, where, name) + (f"?{urlencode(wanted)}" if wanted else "")

    def get(self, collection: str, name: str, namespace: str | None = None) -> Json:
        """One object. Raises ApiServerError."""
        return self._json("get", "--raw", self.path(collection, name, namespace))

    def read(self, path: str) -> Json:
        """What stands at an address. Raises ApiServerError."""
        return self._json("get", "--raw", path)

    def pages(
        self, collection: str, namespace: str | None = None, **query: object
    ) -> Iterator[list[Json]]:
        """All objects, a small page first, so that something can be shown at once."""
        token, limit = "", FIRST_PAGE
        while True:
            path = self.path(
                collection, "", namespace, **{"limit": limit, "continue": token, **query}
            )
            page = self._json("get", "--raw", path)
            yield page.get("items", [])
            token, limit = page.get("metadata", {}).get("continue", ""), PAGE
            if not token:
                return

    def all(self, collection: str, namespace: str | None = None, **query: object) -> list[Json]:
        """All objects at once."""
        return [item for page in self.pages(collection, namespace, **query) for item in page]

    def execute(self, write: Write, namespace: str | None = None) -> Json:
        """Carries out a write; returns the object as the server has it afterwards.

        Raises ApiServerError.
        """
        kind, sent = KINDS[write.kind], json.dumps(write.sent)
        where = self.namespace if namespace is None else namespace
        if write.verb == "patch":
            options = (
                f"--namespace={where}",
                *((f"--subresource={write.subresource}",) if write.subresource else ()),
                f"--field-manager={FIELD_MANAGER}",
                f"--type={PATCH}",
                "--output=json",
            )
            return self._json("patch", kind.resource, write.name, *options, "--patch", sent)
        name = "" if write.verb == "create" else write.name
        path = address(kind.path, where, name, write.subresource)
        by = "" if write.verb == "delete" else f"?fieldManager={FIELD_MANAGER}"
        return self._json(write.verb, "--raw", path + by, "-f", "-", stdin=sent)

    def review(self, collection: str, body: Mapping[str, Any]) -> Json:
        """What the server answers to a question about the user. It keeps nothing."""
        path = self.path(collection, "", "")
        return self._json("create", "--raw", path, "-f", "-", stdin=json.dumps(body))

    def job(self, name: str, sought: str = "no") -> Json:
        """A ScheduledAgentJob.

        Raises ApiServerError, which names those that are written much like one that is not there.

        `sought`: how the sentence begins, where the name could have been that of something else,
        too.
        """
        try:
            return self.get(JOBS, name)
        except ApiServerError as refusal:
            if refusal.code is not Exit.NOT_FOUND:
                raise
            missing = jobs.missing(name, self.namespace, self._names(), sought)
            remedy = " ".join(filter(None, (missing.remedy, refusal.remedy)))
            raise ApiServerError(missing.message, remedy, refusal.code, refusal.reason) from None

    def check_job(self, name: str, sought: str = "no") -> None:
        """As `job`, for whoever need not be able to read it: a job that may not be read passes."""
        try:
            self.job(name, sought)
        except ApiServerError as refusal:
            if refusal.code is not Exit.FORBIDDEN:
                raise

    def _names(self) -> list[str]:
        """Of all jobs, as far as the user may list them."""
        try:
            return [str(body["metadata"]["name"]) for body in self.all(JOBS)]
        except ApiServerError:
            return []

    def whoami(self) -> str:
        """The name by which the server knows the user."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        return str(self.review(WHO_AM_I, body)["status"]["userInfo"]["username"])

    def watch(self, collection: str, name: str, seconds: float) -> Iterator[Json]:
        """One object as it is, and each time it changes, for so many seconds.

        A watch that ends before, or fails, is begun again.

        Raises ApiServerError when the object is gone, or may not be seen.
        """
        end = self.clock() + seconds
        while True:
            try:
                yield (body := self.get(collection, name))
                if (left := end - self.clock()) > 0:
                    yield from self._changes(collection, body, left)
            except ApiServerError as refusal:
                if refusal.code not in PASSING:
                    raise
            if self.clock() + AGAIN >= end:
                return
            self.pause(AGAIN)

    def _changes(self, collection: str, body: Json, seconds: float) -> Iterator[Json]:
        """What becomes of an object, until the server ends the watch. Raises ApiServerError."""
        name, since = body["metadata"]["name"], body["metadata"].get("resourceVersion")
        query = {
            "watch": 1,
            "fieldSelector": f"metadata.name={name}",
            "resourceVersion": since,
            "timeoutSeconds": ceil(seconds),
        }
        with self.stream(
            "get", "--raw", self.path(collection, "", None, **query), seconds=seconds
        ) as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    raise ApiServerError("the connection broke", "", Exit.CLUSTER, "")
                event = json.loads(line)
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]
                elif event["type"] == "DELETED":
                    raise ApiServerError(f"{name} was deleted", "", Exit.NOT_FOUND, "NotFound")
                elif event["type"] == "ERROR":
                    raise ApiServerError(str(event["object"].get("message")), "", Exit.CLUSTER, "")

    def clock(self) -> float:
        """In seconds, from any beginning."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Lets time go by."""
        time.sleep(seconds)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints. Raises ApiServerError."""
        try:
            ran = subprocess.run(
                self.command(*arguments),
                input=stdin.encode(),
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise _no_kubectl() from None
        except subprocess.TimeoutExpired:
            raise ApiServerError(
                f"the cluster did not answer within {SECONDS} s", "try again", Exit.TIMEOUT, ""
            ) from None
        if ran.returncode:
            raise kubectl_error(ran.stderr.decode(errors="replace"))
        return ran.stdout.decode(errors="replace")

    @contextmanager
    def stream(self, *arguments: str, seconds: float) -> Iterator[IO[bytes]]:
        """What kubectl prints, line by line as it comes, for at most so many seconds.

        The limit also holds where the other end has fallen silent.

        Raises ApiServerError when it fails or takes longer, unless the reader has left before.
        """
        try:
            process = subprocess.Popen(
                self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except FileNotFoundError:
            raise _no_kubectl() from None
        limit = Timer(seconds, process.terminate)
        limit.daemon = True
        limit.start()
        with process:
            if process.stdout is None or process.stderr is None:
                raise AssertionError("both are pipes")
            try:
                yield process.stdout
                process.stdout.read()
                if process.wait():
                    raise kubectl_error(process.stderr.read().decode(errors="replace"))
            finally:
                limit.cancel()
                process.terminate()

    def command(self, *arguments: str) -> list[str]:
        """kubectl with the options that choose the cluster."""
        chosen = {"--kubeconfig": self.kubeconfig, "--context": self.context}
        return [
            "kubectl",
            *(f"{option}={value}" for option, value in chosen.items() if value),
            *arguments,
        ]

    def _json(self, *arguments: str, stdin: str = "") -> Json:
        answer: Json = json.loads(self.run(*arguments, stdin=stdin))
        return answer


def _no_kubectl() -> ApiServerError:
    return ApiServerError(
        "kubectl is not on PATH", "install kubectl, or add its folder to PATH", Exit.CLUSTER, ""
    )
