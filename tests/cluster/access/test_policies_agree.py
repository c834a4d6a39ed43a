"""A real API server gives each request of the corpus the answer that the evaluated policies give.

Every request is a dry run, so each finds the same objects.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Final

import pytest

from tests.cluster.installed import Installed, Manifest
from tests.cluster.place import DENIED
from tests.cluster.rights import PLAIN, RBAC
from tests.cluster.support import Kubectl, new_namespace, wait_for
from tests.policies.asking import creates
from tests.policies.cases import GROUPS, PEOPLE, Request, holds, merged
from tests.policies.corpus import CORPUS, PARTS
from tests.policies.existing import EXISTING, JOBS
from tests.support import manifests

MAKER: Final = ("--as=system:kube-controller-manager", "--as-group=system:masters")
"""Makes what is there before the requests: no policy refuses it."""
METHODS: Final = {"CREATE": "POST", "UPDATE": "PUT", "DELETE": "DELETE"}


@dataclass(frozen=True)
class Ground:
    """A namespace with everything that exists, and with every person's rights."""

    kubectl: Kubectl
    connection: HTTPConnection
    namespace: str
    uid: str

    def text(self, body: Manifest) -> str:
        text = json.dumps(body)
        return text.replace("{uid}", self.uid).replace("{namespace}", self.namespace)

    def create(self, bodies: Iterable[Manifest], *options: str) -> None:
        """By an administrator, or with these options of kubectl."""
        acting = replace(self.kubectl, options=options)
        acting.create(self.namespace, *(json.loads(self.text(body)) for body in bodies))

    def _send(self, method: str, path: str, who: str, text: str = "") -> Manifest:
        """What the API server answers, for `""` to an administrator."""
        connection, person = self.connection, PEOPLE.get(who)
        connection.putrequest(method, path)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
        if person:
            name = person.username.format(namespace=self.namespace)
            headers += [("Impersonate-User", name)]
            headers += [("Impersonate-Group", group) for group in person.groups]
        for header in headers:
            connection.putheader(*header)
        connection.endheaders(text.encode())
        return dict(json.loads(connection.getresponse().read()))

    def answer(self, request: Request) -> Manifest:
        """The object, or a Status that says why not."""
        version = "v1alpha1" if request.group == "agentjobs.dev" else "v1"
        start = f"/apis/{request.group}/{version}" if request.group else "/api/v1"
        path = f"{start}/namespaces/{self.namespace}/{request.plural}"
        body = request.body
        if request.operation != "CREATE":
            path = f"{path}/{body['metadata']['name']}"
        if request.operation == "UPDATE":
            body = merged(self._send("GET", path, ""), request.patch)
            path = f"{path}/{request.subresource}".removesuffix("/")
        text = "" if request.operation == "DELETE" else self.text(body)
        return self._send(METHODS[request.operation], f"{path}?dryRun=All", request.who, text)

    def disagreement(self, what: str) -> str:
        """Empty where the answer is as it should be."""
        request = CORPUS[what]
        answer = self.answer(request)
        told = str(answer["message"]) if answer.get("status") == "Failure" else ""
        if request.refused:
            agrees = DENIED in told and request.refused in told
        else:
            agrees = not told and holds(answer, request.becomes)
        return "" if agrees else f"{what}: {told or answer}"


@contextmanager
def proxied(kubectl: Kubectl) -> Iterator[HTTPConnection]:
    """To the API server, as an administrator who may act as others: quicker than a kubectl each."""
    environment = {**os.environ, "KUBECONFIG": kubectl.cluster.kubeconfig}
    command = [kubectl.cluster.kubectl, "proxy", "--port=0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            (port,) = re.findall(r":(\d+)$", process.stdout.readline().strip())
            with closing(HTTPConnection("127.0.0.1", int(port))) as connection:
                yield connection
        finally:
            process.terminate()


def _rules(may: tuple[str, ...]) -> Iterator[Manifest]:
    yield {"apiGroups": list(GROUPS), "resources": ["*"], "verbs": PLAIN}
    for right in may:
        verb, _, thing = right.partition(" ")
        resource, _, name = thing.partition("/")
        rule = {"apiGroups": ["agentjobs.dev"], "resources": [resource], "verbs": [verb]}
        yield {**rule, **({"resourceNames": [name]} if name else {})}


def _rights() -> Iterator[Manifest]:
    for number, person in enumerate(PEOPLE.values()):
        head = {"apiVersion": RBAC, "metadata": {"name": f"person-{number}"}}
        yield {**head, "kind": "Role", "rules": list(_rules(person.may))}
        group = {"apiGroup": RBAC.partition("/")[0]}
        role = {**group, "kind": "Role", "name": f"person-{number}"}
        user = {**group, "kind": "User", "name": person.username}
        yield {**head, "kind": "RoleBinding", "roleRef": role, "subjects": [user]}


@pytest.fixture(scope="module")
def ground(agentjobs: Installed, kubectl: Kubectl) -> Iterator[Ground]:
    """The jobs are older than the rule of the second person, and the operator is gone: it would
    delete what is forged.
    """
    with new_namespace(kubectl) as namespace, proxied(kubectl) as connection:
        kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce-")
        kubectl.create(namespace, *JOBS.values())
        uid = kubectl.json("get", "saj", "second", "-n", namespace)["metadata"]["uid"]
        found = Ground(kubectl, connection, namespace, uid)
        found.create(_rights())
        with agentjobs.values_set(**{"approval.requireSecondPerson": "true"}):
            agentjobs.scale(0)
            try:
                for resource, bodies in EXISTING.items():
                    if resource != "scheduledagentjobs":
                        found.create(bodies.values(), *MAKER)
                wait_for(lambda: _in_force(found), 60, "a second person is needed")
                yield found
            finally:
                let_go = ("--type=merge", "--patch", '{"metadata":{"finalizers":null}}')
                kubectl("patch", "ajr", "second-held", "-n", namespace, *let_go)
                agentjobs.scale(1)


def _in_force(ground: Ground) -> bool:
    own = creates("ana", manifests.approval("in-force", jobName="second"))
    return "approval needs a second person" in ground.answer(own).get("message", "")


@pytest.mark.parametrize("part", PARTS)
def test_the_api_server_answers_as_the_evaluated_policies_do(ground: Ground, part: str) -> None:
    some = [what for what in CORPUS if what.startswith(f"{part}: ")]
    assert [told for what in some if (told := ground.disagreement(what))] == []
