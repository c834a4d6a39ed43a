"""The cluster that `make` works on, behind one interface: the user's own, kind's, or the local one.

See hack/choice.py.

Progress goes to standard error, results to standard output.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# After the path is set.
from hack.choice import LOCAL_CLUSTER, Source, choose, docker_answers, look  # noqa: E402

COMMANDS = ("up", "down", "kubeconfig", "bin", "load", "source")
KIND_IMAGE = "AGENTJOBS_KIND_IMAGE"
"""Environment variable: kind's node image. Empty: the default of the kind that is used."""


class ClusterError(Exception):
    """What is missing, and what to do."""


def local(*words: str) -> int:
    """The local cluster's own tool does it."""
    return subprocess.run([sys.executable, str(LOCAL_CLUSTER), *words], check=False).returncode


def local_kubeconfig() -> str:
    command = [sys.executable, str(LOCAL_CLUSTER), "kubeconfig"]
    asked = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return asked.stdout.strip()


def tools() -> str:
    """The folder that holds kubectl and helm, both of which have to be on PATH."""
    found = {name: shutil.which(name) for name in ("kubectl", "helm")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ClusterError(
            f"{' and '.join(missing)} not found on PATH; install what fits your cluster"
        )
    # PATH is what finds them: the two may lie in different folders.
    return str(Path(str(found["kubectl"])).parent)


def own(command: str, words: list[str]) -> int:
    """The user's cluster: it is used, and never started or stopped."""
    name = os.environ["KUBECONFIG"]
    if command == "up":
        print(f"cluster: the one in KUBECONFIG={name}", file=sys.stderr)
        tools()
        version = subprocess.run(["kubectl", "version"], stdout=subprocess.DEVNULL, check=False)
        if version.returncode:
            raise ClusterError(
                f"the cluster in KUBECONFIG={name} does not answer; unset KUBECONFIG to use a"
                " local one"
            )
    elif command == "down":
        print(
            f"cluster: the one in KUBECONFIG={name} is yours and stays; `make uninstall` removes"
            " the operator",
            file=sys.stderr,
        )
    elif command == "load":
        raise ClusterError(
            "images cannot be loaded into a cluster of your own: push them to a registry that it"
            " pulls from and name a Helm values file with them: make install VALUES=images.yaml"
            f" (here: {' '.join(words)})"
        )
    else:
        print(name if command == "kubeconfig" else tools())
    return 0


def kind_cluster() -> Any:
    """One cluster for each checkout. pytest-kind-ng finds or downloads kind."""
    from pytest_kind import KindCluster  # type: ignore[import-not-found]  # noqa: PLC0415  GPL-3, installed for this path only

    name = f"agentjobs-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
    kind = shutil.which("kind")
    return KindCluster(
        name, image=os.environ.get(KIND_IMAGE) or None, kind_path=Path(kind) if kind else None
    )


def kind(command: str, words: list[str]) -> int:
    """A kind cluster, on the Docker daemon that answers."""
    cluster = kind_cluster()
    if command == "up":
        tools()
        cluster.create()
    elif command == "down":
        cluster.delete()
    elif command == "load":
        for archive in words:
            subprocess.run(
                [str(cluster.kind_path), "load", "image-archive", archive, "--name", cluster.name],
                check=True,
            )
    else:
        print(cluster.kubeconfig_path.resolve() if command == "kubeconfig" else tools())
    return 0


def act(source: Source, command: str, words: list[str]) -> int:
    """Returns the exit code. Raises ClusterError."""
    if command == "source":
        print(source)
        return 0
    actions: dict[Source, Callable[[str, list[str]], int]] = {
        "kubeconfig": own,
        "kind": kind,
        "local": lambda name, rest: local(name, *rest),
    }
    return actions[source](command, words)


def main() -> NoReturn:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=(*COMMANDS, "wants-kind"))
    parser.add_argument("words", nargs="*", help="archives to load")
    options = parser.parse_args()
    if options.command == "wants-kind":
        sys.exit(0 if docker_answers() and not os.environ.get("KUBECONFIG") else 1)
    try:
        sys.exit(act(choose(look(os.environ, local_kubeconfig())), options.command, options.words))
    except ClusterError as error:
        sys.exit(f"cluster: {error}")


if __name__ == "__main__":
    main()
