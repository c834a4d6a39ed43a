"""Keys and certificates: one authority, and an identity for each component.

One shared admin identity would be simpler and wrong: policies under test must be able to tell the
kubelet, the controllers and an administrator apart.
"""

from __future__ import annotations

import base64
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import processes
from .layout import NODE_NAME, Layout

DAYS = "3650"
IDENTITIES = {
    "admin": "/O=system:masters/CN=local-admin",
    "addons": "/O=system:masters/CN=local-addons",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "proxy": "/CN=system:kube-proxy",
    "dns": "/CN=system:coredns",
    "kubelet": f"/O=system:nodes/CN=system:node:{NODE_NAME}",
}
"""Subject of each client: O becomes the group, CN the user."""


def ensure(layout: Layout) -> None:
    """Keeps what is there while the addresses in the certificates are still right."""
    made_for = layout.pki / "made-for"
    if made_for.exists() and made_for.read_text() == layout.node_ip and layout.kubeconfig.exists():
        return
    shutil.rmtree(layout.pki, ignore_errors=True)
    layout.pki.mkdir(parents=True, mode=0o700)
    _authority(layout.pki)
    names = (
        f"IP:{layout.node_ip},IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,"
        "DNS:kubernetes.default,DNS:kubernetes.default.svc"
    )
    wanted = [
        ("apiserver", "/CN=kube-apiserver", f"{names},DNS:kubernetes.default.svc.cluster.local"),
        (
            "kubelet-server",
            f"/O=system:nodes/CN=system:node:{NODE_NAME}",
            f"IP:{layout.node_ip},DNS:{NODE_NAME}",
        ),
        ("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", None),
        *((name, subject, None) for name, subject in IDENTITIES.items()),
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: _certificate(layout.pki, *one), wanted))
    for name in IDENTITIES:
        processes.replace_text(
            kubeconfig(layout, name), json.dumps(_kubeconfig(layout, name), indent=1), 0o600
        )
    made_for.write_text(layout.node_ip)


def kubeconfig(layout: Layout, identity: str) -> Path:
    return layout.state / f"{identity}.kubeconfig"


def _openssl(directory: Path, *words: str) -> None:
    processes.output("openssl", *words, cwd=directory)


def _new_key(name: str) -> list[str]:
    """P-256 keys: RSA ones take seconds on a small machine."""
    return f"-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key".split()


def _authority(directory: Path) -> None:
    certificate = ["-out", "ca.crt", "-days", DAYS, "-subj", "/CN=local-cluster-ca"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"]
    _openssl(directory, "req", "-x509", *_new_key("ca"), *certificate, *usage)
    signing = "ecparam -name prime256v1 -genkey -noout -out service-accounts.key"
    _openssl(directory, *signing.split())


def _certificate(directory: Path, name: str, subject: str, names: str | None) -> None:
    _openssl(directory, "req", *_new_key(name), "-out", f"{name}.csr", "-subj", subject)
    usage = "extendedKeyUsage=serverAuth,clientAuth\n"
    usage += f"subjectAltName={names}\n" if names else ""
    (directory / f"{name}.ext").write_text(usage)
    # The serial is given by hand: openssl's serial file would be written by several at once.
    serial = "0x" + name.encode().hex()[:38]
    files = f"-in {name}.csr -out {name}.crt -extfile {name}.ext"
    by = f"-CA ca.crt -CAkey ca.key -set_serial {serial} -days {DAYS}"
    _openssl(directory, "x509", "-req", *files.split(), *by.split())


def _kubeconfig(layout: Layout, name: str) -> dict[str, object]:
    """Everything inside the one file, so that it works from any directory and can be copied."""

    def data(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "local",
        "clusters": [
            {
                "name": "local",
                "cluster": {"server": layout.server, "certificate-authority-data": data("ca.crt")},
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": data(f"{name}.crt"),
                    "client-key-data": data(f"{name}.key"),
                },
            }
        ],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": name}}],
    }
