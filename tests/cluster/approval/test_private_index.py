"""Packages from an index with its own authority's certificate and a login, cached between runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed, Manifest
from tests.cluster.package_index import LOGIN, TLS, Index
from tests.cluster.support import Kubectl, new_namespace
from tests.support import manifests
from tests.support.servers.wheels import site, wheel

OFFERED: Final = site(
    [
        wheel("alpha", "1.0", "beta>=1", body="import beta\n"),
        wheel("beta", "2.0"),
        wheel("gamma", "1.0"),
    ]
)
PASSWORD: Final = "pa/ss+w0rd of the index"
CA: Final = "index-ca"
CACHE: Final = "wheels"
TELLS: Final = (
    "import alpha, os\nprint(alpha.version, sorted(name for name in os.environ if 'INDEX' in name),"
    " os.path.exists('/var/cache/agentjobs'))"
)


def certified(folder: Path, host: str) -> dict[str, str]:
    """PEM files by name: an authority, and what it has signed for this host."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req",
        "-x509",
        *new,
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-subj",
        "/CN=authority",
        "-days",
        "2",
    )
    openssl("req", *new, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=index")
    (folder / "extensions").write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
    signed = (
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-set_serial",
        "1",
        "-days",
        "2",
        "-extfile",
        "extensions",
    )
    openssl("x509", "-req", "-in", "tls.csr", "-out", "tls.crt", *signed)
    return {name: (folder / name).read_text() for name in ("ca.crt", "tls.crt", "tls.key")}


def secret(name: str, **values: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def authority(certificate: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CA},
        "data": {"ca.crt": certificate},
    }


@pytest.fixture(scope="module")
def index(
    agentjobs: Installed, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Index]:
    """An index, and an operator that uses it."""
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    with new_namespace(kubectl) as namespace:
        pems = certified(tmp_path_factory.mktemp("pki"), f"index.{namespace}.svc")
        kubectl.apply(
            namespace,
            secret(TLS, **{name: pems[name] for name in ("tls.crt", "tls.key")}),
            secret(LOGIN, username="robot", password=PASSWORD),
            authority(pems["ca.crt"]),
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": CACHE},
                "spec": claim,
            },
            manifests.package_approval("both", packages=["alpha==1.0", "gamma==1.0"]),
        )
        found = Index(agentjobs, namespace, secure=True)
        found.start()
        found.offer({"files/nothing": b"", "simple/nothing": b"", **OFFERED})
        values = {
            "indexUrl": found.url,
            "ca.configMap": CA,
            "credentialsSecret": LOGIN,
            "cacheClaim": CACHE,
        }
        with agentjobs.values_set(**{f"packages.{name}": value for name, value in values.items()}):
            yield found


def record(index: Index, name: str, pin: str = "alpha==1.0") -> Manifest:
    job = many.job(name, TELLS, packages=[pin])
    return dict(many.ran(index.agentjobs, index.namespace, [job])[name]["status"])


def downloads(index: Index) -> list[str]:
    return sorted(
        line.rpartition("/")[2]
        for line in index.asked()
        if line.startswith("GET /files/") and line.endswith(".whl")
    )


WHEELS: Final = ["alpha-1.0-py3-none-any.whl", "beta-2.0-py3-none-any.whl"]


def test_a_private_index_is_used_once_with_login_and_cache_hidden(index: Index) -> None:
    first = record(index, "first")
    assert (first["phase"], first.get("resolvedPackages")) == (
        "Succeeded",
        ["alpha==1.0", "beta==2.0"],
    ), first
    assert first["stdout"] == "1.0 [] False\n"
    found = downloads(index)
    assert sorted(set(found)) == WHEELS
    second = record(index, "second")
    assert (second["phase"], second["stdout"]) == ("Succeeded", "1.0 [] False\n"), second
    assert downloads(index) == found, "another job finds in the cache what the first one downloaded"


def test_a_wrong_index_or_login_fails_the_run_without_the_password(
    index: Index, kubectl: Kubectl, tmp_path: Path
) -> None:
    """Of a package not in the cache: what is in it is installed without asking the index."""
    kubectl.apply(index.namespace, secret(LOGIN, username="robot", password=f"not {PASSWORD}"))
    refused = record(index, "refused", "gamma==1.0")
    kubectl.apply(
        index.namespace,
        secret(LOGIN, username="robot", password=PASSWORD),
        authority(certified(tmp_path, "index")["ca.crt"]),
    )
    unknown = record(index, "unknown", "gamma==1.0")
    for found, words in ((refused, "401 Unauthorized"), (unknown, "invalid peer certificate")):
        assert (found["phase"], found["reason"], found["stdout"]) == (
            "Failed",
            "PackageInstallFailed",
            "",
        ), found
        assert words in found["message"], found["message"]
        assert PASSWORD not in str(found)
