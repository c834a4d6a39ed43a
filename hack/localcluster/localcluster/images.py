"""Images: the pause image made from its binary, and archives loaded into the node's image store."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from . import processes
from .configuration import PAUSE_IMAGE
from .containers import CTR
from .layout import Layout

LOADED = "loaded.json"
"""In the image store: by the fingerprint of each archive loaded, its images with their digests."""


def archive_of(binary: bytes, name: str, image: str) -> bytes:
    """An OCI archive whose only file is one static program.

    The same bytes in give the same bytes out.
    """
    layer = _tar({name: binary}, mode=0o755)
    blobs: dict[str, bytes] = {}

    def descriptor(media: str, content: bytes, **more: Any) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {
            "mediaType": f"application/vnd.oci.image.{media}",
            "digest": f"sha256:{digest}",
            "size": len(content),
            **more,
        }

    config = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{name}"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", json.dumps(config).encode()),
        "layers": [descriptor("layer.v1.tar+gzip", gzip.compress(layer, mtime=0))],
    }
    named = descriptor(
        "manifest.v1+json",
        json.dumps(manifest).encode(),
        annotations={"io.containerd.image.name": image},
    )
    index = {"schemaVersion": 2, "manifests": [named]}
    return _tar(
        {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            "index.json": json.dumps(index).encode(),
            **blobs,
        }
    )


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _tar(files: Mapping[str, bytes], mode: int = 0o644) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@dataclass(frozen=True)
class Contents:
    fingerprint: str
    """Of the archive's table of contents, which names everything else by digest."""
    names: tuple[str, ...]
    """As containerd will call the images."""


def contents(archive: Path) -> Contents:
    try:
        with tarfile.open(archive) as tar:
            for entry in tar:
                if entry.name in ("index.json", "manifest.json"):
                    file = tar.extractfile(entry)
                    return _contents(archive, file.read() if file else b"")
    except (OSError, tarfile.TarError, ValueError) as error:
        raise processes.Failure(f"{archive} cannot be read as an image archive: {error}") from None
    raise processes.Failure(
        f"{archive} is neither an OCI nor a Docker archive: it has no index.json or manifest.json"
    )


def _contents(archive: Path, table: bytes) -> Contents:
    parsed = json.loads(table)
    if isinstance(parsed, list):  # a Docker archive's manifest.json
        names = [tag for image in parsed for tag in image.get("RepoTags") or ()]
    else:
        notes = [manifest.get("annotations", {}) for manifest in parsed["manifests"]]
        names = [
            note.get("io.containerd.image.name")
            or note.get("org.opencontainers.image.ref.name", "")
            for note in notes
        ]
    if not names or not all(":" in name for name in names):
        remedy = "write it with `buildah push IMAGE oci-archive:FILE:IMAGE`"
        raise processes.Failure(f"{archive} does not name its image: {remedy}")
    return Contents(hashlib.sha256(table).hexdigest(), tuple(full_name(name) for name in names))


def full_name(name: str) -> str:
    """Docker's convention: a first part with no dot, colon or localhost is a user of docker.io."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


class Store:
    """The node's images, seen through the namespaces of the cluster whose PID 1 is `pid`."""

    def __init__(self, layout: Layout, pid: int) -> None:
        self._record = layout.image_store / LOADED
        self._enter = ("nsenter", "-t", str(pid), "-n", "-m", "-p")

    def digests(self) -> dict[str, str]:
        """Digest of each image that the runtime has noticed, which is a moment after the import."""
        rows = [line.split() for line in self._ctr("images", "list").splitlines()[1:]]
        return {
            row[0]: row[2]
            for row in rows
            if "io.cri-containerd.image=managed" in row[-1] and not row[0].startswith("sha256:")
        }

    def load(self, archive: Path) -> bool:
        """False when the same images are there already. Returns only when pods can use them."""
        wanted = contents(archive)
        record = self._record.read_text() if self._record.exists() else "{}"
        known: dict[str, dict[str, str]] = json.loads(record)
        expected = known.get(wanted.fingerprint)
        if expected and expected.items() <= self.digests().items():
            return False
        with archive.open("rb") as content:
            self._import(content)
        message = f"the container runtime does not show {', '.join(wanted.names)} after the import"
        late, shown = processes.Failure(message), set(wanted.names)
        processes.wait_until(lambda: shown <= self.digests().keys(), 20, lambda: late)
        found = self.digests()
        known[wanted.fingerprint] = {name: found[name] for name in wanted.names}
        processes.replace_text(self._record, json.dumps(known))
        return True

    def load_pause(self, binary: Path) -> None:
        if PAUSE_IMAGE not in self.digests():
            with tempfile.TemporaryFile() as content:
                content.write(archive_of(binary.read_bytes(), "pause", PAUSE_IMAGE))
                content.seek(0)
                self._import(content)

    def _import(self, content: IO[bytes]) -> None:
        self._ctr("images", "import", "-", stdin=content, seconds=300)

    def _ctr(self, *words: str, stdin: IO[bytes] | None = None, seconds: float = 60) -> str:
        return processes.output(*self._enter, *CTR, *words, stdin=stdin, seconds=seconds)
