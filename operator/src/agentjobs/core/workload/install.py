"""The part of a run's pod that installs approved packages.

It is an init container, and a volume that is read-only for the script.

The init container gets nothing that the script gets. The script gets neither the index's password
nor the cache.
"""

from __future__ import annotations

from typing import Final

from agentjobs.api import names
from agentjobs.core.content.digest import Content
from agentjobs.core.content.packages import foreign
from agentjobs.core.naming import Manifest, resolution_name
from agentjobs.core.runner.installer import Resolution
from agentjobs.core.views.pod import INSTALL_CONTAINER
from agentjobs.core.workload.settings import RunPolicy

COMMAND: Final = (
    *("/opt/agentjobs/python3", "-I", "-S"),
    *("/opt/agentjobs/lib/agentjobs_runner/__main__.py", "install"),
)
PACKAGES_DIRECTORY: Final = "/opt/agentjobs/packages"
KEPT_DIRECTORY: Final = "/etc/agentjobs/packages"
CA_DIRECTORY: Final = "/etc/agentjobs/ca"
CACHE_DIRECTORY: Final = "/var/cache/agentjobs"
REQUIREMENTS_KEY: Final = "requirements.txt"


def needed(content: Content, policy: RunPolicy) -> bool:
    """Whether packages have to be installed.

    If the image lacks one, all are installed, so that they fit together in any image.
    """
    return bool(foreign(content.spec.packages, policy.inventory))


def resolution(revision: Manifest, name: str, found: Resolution) -> Manifest:
    """The first resolution of the revision of this name.

    Labels, digest and owner are those of the revision: it has the same protection, and is deleted
    together with it.
    """
    metadata = {**revision["metadata"], "name": resolution_name(name)}
    return {**revision, "metadata": metadata, "data": {REQUIREMENTS_KEY: found.requirements}}


def with_packages(
    pod: Manifest, revision: str, content: Content, policy: RunPolicy, *, kept: bool
) -> Manifest:
    """The pod's spec with everything that installing needs.

    `kept`: the ConfigMap with the first resolution exists.
    """
    runner = pod["containers"][0]
    shared = ("image", "imagePullPolicy", "resources", "securityContext")
    container = {
        **{name: runner[name] for name in shared},
        "name": INSTALL_CONTAINER,
        "command": list(COMMAND),
        "env": _environment(content, policy),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": _mounts(policy, kept=kept),
    }
    reads = {"name": "packages", "mountPath": PACKAGES_DIRECTORY, "readOnly": True}
    runner = {
        **runner,
        "env": [{"name": names.PACKAGES_VARIABLE, "value": PACKAGES_DIRECTORY}, *runner["env"]],
        "volumeMounts": [*runner["volumeMounts"], reads],
    }
    volumes = [*pod["volumes"], *_volumes(revision, policy, kept=kept)]
    return {
        **pod,
        "initContainers": [container],
        "containers": [runner, *pod["containers"][1:]],
        "volumes": volumes,
    }


def _environment(content: Content, policy: RunPolicy) -> list[Manifest]:
    chosen = policy.packages
    plain = {
        "AGENTJOBS_DIGEST": content.digest,
        "AGENTJOBS_INSTALL_SECONDS": str(chosen.timeout_seconds),
        "AGENTJOBS_INDEX_URL": chosen.index_url,
        "AGENTJOBS_CA_KEY": chosen.ca_key if chosen.ca_config_map or chosen.ca_secret else "",
    }
    variables: list[Manifest] = [
        {"name": name, "value": value} for name, value in plain.items() if value
    ]
    for key in ("username", "password") if chosen.credentials_secret else ():
        source = {"secretKeyRef": {"name": chosen.credentials_secret, "key": key}}
        variables.append({"name": f"AGENTJOBS_INDEX_{key.upper()}", "valueFrom": source})
    return variables


def _mounts(policy: RunPolicy, *, kept: bool) -> list[Manifest]:
    chosen = policy.packages
    mounts: list[Manifest] = [
        {"name": "revision", "mountPath": "/etc/agentjobs/revision", "readOnly": True},
        {"name": "packages", "mountPath": PACKAGES_DIRECTORY},
    ]
    if kept:
        mounts.append({"name": "resolution", "mountPath": KEPT_DIRECTORY, "readOnly": True})
    if chosen.ca_config_map or chosen.ca_secret:
        mounts.append({"name": "ca", "mountPath": CA_DIRECTORY, "readOnly": True})
    if chosen.cache_claim:
        mounts.append({"name": "cache", "mountPath": CACHE_DIRECTORY})
    return mounts


def _volumes(revision: str, policy: RunPolicy, *, kept: bool) -> list[Manifest]:
    chosen = policy.packages
    volumes: list[Manifest] = [{"name": "packages", "emptyDir": {}}]
    if kept:
        resolved = {"name": resolution_name(revision), "defaultMode": 0o444}
        volumes.append({"name": "resolution", "configMap": resolved})
    if chosen.ca_config_map:
        public = {"name": chosen.ca_config_map, "defaultMode": 0o444}
        volumes.append({"name": "ca", "configMap": public})
    elif chosen.ca_secret:
        secret = {"secretName": chosen.ca_secret, "defaultMode": 0o444}
        volumes.append({"name": "ca", "secret": secret})
    if chosen.cache_claim:
        claim = {"claimName": chosen.cache_claim}
        volumes.append({"name": "cache", "persistentVolumeClaim": claim})
    return volumes
