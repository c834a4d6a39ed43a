"""A package index on the cluster's own network.

It is a pod with a static web site, and a Service that names it.
"""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.cluster.installed import Installed

TLS: Final = "index-tls"
LOGIN: Final = "index-login"
SECURE: Final = """\
import base64, functools, http.server, os, ssl
login = ":".join((os.environ["USERNAME"], os.environ["PASSWORD"]))
wanted = "Basic " + base64.b64encode(login.encode()).decode()

class Handler(http.server.SimpleHTTPRequestHandler):
    def send_head(self):
        if self.headers["Authorization"] == wanted:
            return super().send_head()
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic realm=index")
        self.send_header("Content-Length", "0")
        self.end_headers()

server = http.server.ThreadingHTTPServer(("", 8080), functools.partial(Handler, directory="/srv"))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
LABELS: Final = {"app": "index"}
UNPACK: Final = """\
import base64, io, os, shutil, sys, tarfile
for name in os.listdir("/srv"):
    shutil.rmtree(os.path.join("/srv", name))
with tarfile.open(fileobj=io.BytesIO(base64.b64decode(sys.stdin.read()))) as archive:
    archive.extractall("/srv")
for name in ("slow", "slower"):
    file = f"{name}-1.0-py3-none-any.whl"
    os.mkfifo(f"/srv/files/{file}")
    os.mkdir(f"/srv/simple/{name}")
    with open(f"/srv/simple/{name}/index.html", "w") as page:
        page.write(f'<a href="../../files/{file}">{file}</a>')
"""
"""The files of `slow` and `slower` are pipes that nobody writes to: who asks for one waits."""


@dataclass(frozen=True)
class Index:
    """`offer` replaces everything that it offers.

    `secure`: by https, from the Secret TLS, and only with the login in the Secret LOGIN.
    """

    agentjobs: Installed
    namespace: str
    secure: bool = False

    @property
    def url(self) -> str:
        """As pods reach it."""
        return f"http{'s' if self.secure else ''}://index.{self.namespace}.svc:8080/simple"

    def start(self) -> None:
        """Waits until it answers."""
        kubectl = self.agentjobs.kubectl
        runner = self.agentjobs.settings()["runner"]
        pod = _pod(runner["image"], runner["imagePullPolicy"], secure=self.secure)
        service = {"selector": LABELS, "ports": [{"port": 8080}]}
        kubectl.create(
            self.namespace,
            pod,
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "index"}, "spec": service},
        )
        kubectl("wait", "-n", self.namespace, "pod/index", "--for=condition=Ready", "--timeout=60s")

    def offer(self, files: Mapping[str, bytes]) -> None:
        """Paths and bytes of the web site."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        command = ("exec", "-i", "-n", self.namespace, "index", "--", "python3", "-c", UNPACK)
        self.agentjobs.kubectl(*command, stdin=base64.b64encode(buffer.getvalue()).decode())

    def asked(self) -> list[str]:
        """What was asked for so far, for example `GET /simple/alpha/`."""
        lines = self.agentjobs.kubectl("logs", "-n", self.namespace, "index").splitlines()
        return [line.split('"')[1].removesuffix(" HTTP/1.1") for line in lines if '"' in line]


def _pod(image: str, pull_policy: str, *, secure: bool) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "index",
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": ["python3", "-u", "-m", "http.server", "8080", "--directory", "/srv"],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "srv", "mountPath": "/srv"}],
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    volumes: list[dict[str, Any]] = [{"name": "srv", "emptyDir": {}}]
    if secure:
        keys = ("username", "password")
        env = [
            {"name": key.upper(), "valueFrom": {"secretKeyRef": {"name": LOGIN, "key": key}}}
            for key in keys
        ]
        container |= {"command": ["python3", "-u", "-c", SECURE], "env": env}
        container["volumeMounts"].append({"name": "tls", "mountPath": "/tls"})
        volumes.append({"name": "tls", "secret": {"secretName": TLS, "defaultMode": 0o444}})
    spec = {
        "containers": [container],
        "securityContext": security,
        "terminationGracePeriodSeconds": 0,
        "volumes": volumes,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "index", "labels": LABELS},
        "spec": spec,
    }
