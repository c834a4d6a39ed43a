"""hack/inventory.py reads the list of packages out of an image, whoever wrote its archive."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Literal

import pytest

from hack import images
from hack.inventory import inventory

OLD, NEW = {"requests": "2.0"}, {"requests": "2.32.3", "six": "1.17.0"}


def packed(files: dict[str, bytes], mode: Literal["w", "w:gz"] = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def layer(found: dict[str, str], name: str, mode: Literal["w", "w:gz"] = "w") -> bytes:
    return packed({"etc/hosts": b"", name: json.dumps(found).encode()}, mode)


def docker(*layers: bytes) -> bytes:
    named = {f"{n}.tar": content for n, content in enumerate(layers)}
    return packed({"manifest.json": json.dumps([{"Layers": list(named)}]).encode(), **named})


def oci(*layers: bytes) -> bytes:
    named = {f"blobs/sha256/{n}": content for n, content in enumerate(layers)}
    manifest = json.dumps(
        {"layers": [{"digest": f"sha256:{n}"} for n in range(len(layers))]}
    ).encode()
    index = json.dumps({"manifests": [{"digest": "sha256:m"}]}).encode()
    return packed({"index.json": index, "blobs/sha256/m": manifest, **named})


@pytest.mark.parametrize("pack", [docker, oci])
def test_the_newest_layer_that_has_one_counts(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    archive = tmp_path / "image.tar"
    layers = (
        layer(OLD, "opt/agentjobs/inventory.json"),
        layer(NEW, "./opt/agentjobs/inventory.json", "w:gz"),
        layer(OLD, "opt/other.json"),
    )
    archive.write_bytes(pack(*layers))
    assert inventory(archive) == NEW


def test_an_image_without_one_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    archive.write_bytes(docker(layer(OLD, "opt/other.json")))
    with pytest.raises(images.ImageError, match=r"image\.tar has no opt/agentjobs/inventory\.json"):
        inventory(archive)
