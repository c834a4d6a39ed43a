"""Copies the inventory from the runner image that was built last into the chart: `make inventory`.

Read from the image's archive, so no container has to be started and no builder asked.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hack import images  # noqa: E402  after the path is set

SHIPPED = ROOT / "charts" / "agentjobs" / "files" / "inventory.json"
IN_IMAGE = "opt/agentjobs/inventory.json"


def inventory(archive: Path) -> dict[str, str]:
    """From an archive of `docker save` or of the OCI layout.

    Raises ImageError when the image has none.
    """
    found = None
    with tarfile.open(archive) as image:
        for layer in _layers(image):
            found = _read(image, layer) or found
    if found is None:
        raise images.ImageError(f"{archive.name} has no {IN_IMAGE}")
    pairs: dict[str, str] = json.loads(found)
    return pairs


def _layers(image: tarfile.TarFile) -> Iterator[str]:
    """Names of the layers' members, the lowest first."""
    if "manifest.json" in image.getnames():
        yield from _json(image, "manifest.json")[0]["Layers"]
        return
    (described,) = _json(image, "index.json")["manifests"]
    yield from (_blob(layer) for layer in _json(image, _blob(described))["layers"])


def _blob(descriptor: dict[str, str]) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")


def _json(image: tarfile.TarFile, name: str) -> Any:
    member = image.extractfile(name)
    return json.load(member) if member else None


def _read(image: tarfile.TarFile, name: str) -> bytes | None:
    """The file's bytes if this layer holds it; layers may be compressed."""
    with tarfile.open(fileobj=image.extractfile(name), mode="r:*") as layer:
        for member in layer:
            if member.name.removeprefix("./") == IN_IMAGE:
                content = layer.extractfile(member)
                return content.read() if content else None
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("values", type=Path, help="what `hack/images.py build` printed")
    _, archive = images.archives(json.loads(parser.parse_args().values.read_text()))
    SHIPPED.write_text(json.dumps(inventory(archive), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
