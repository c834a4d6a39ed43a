"""The operator's settings: the release's, and a file of one's own for an operator outside a pod."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from agentjobs.api.names import CONFIG_FILE
from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json

CONFIG_MAPS: Final = "api/v1/namespaces/{0}/configmaps"
SELECTOR: Final = "app.kubernetes.io/name=agentjobs"


def document_of(config_maps: list[Any]) -> Json:
    """The document in the one of these ConfigMaps that holds it. Raises ClusterProblem."""
    texts = [
        body["data"][CONFIG_FILE] for body in config_maps if CONFIG_FILE in body.get("data", {})
    ]
    if len(texts) != 1:
        raise ClusterProblem(
            f"{len(texts)} ConfigMaps hold an operator's settings; one is needed: make install"
        )
    found: Json = yaml.safe_load(texts[0])
    return found


async def configuration(client: Client, namespace: str) -> Json:
    """What the chart gives the operator of the release in this namespace."""
    found = await client.get(CONFIG_MAPS.format(namespace), labelSelector=SELECTOR)
    return document_of(found["items"])


def write(document: Json, path: Path, **process: object) -> Path:
    """The document as a file for `--config`, with some settings of the process changed."""
    changed = {**document, "process": {**document.get("process", {}), **process}}
    path.write_text(json.dumps(changed, ensure_ascii=False))
    return path
