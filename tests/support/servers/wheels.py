"""Packages made by the tests themselves, and the pages of an index that offers them (PEP 503)."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping

EARLY = (1980, 1, 1, 0, 0, 0)


def wheel(name: str, version: str, *requires: str, body: str = "") -> tuple[str, bytes]:
    """File name and bytes of a wheel with one module; the same arguments give the same bytes."""
    info = f"{name}-{version}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {each}" for each in requires),
    ]
    files = {
        f"{name}.py": f"version = {version!r}\n{body}",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, EARLY), text)
    return f"{name}-{version}-py3-none-any.whl", buffer.getvalue()


def source(name: str, version: str) -> tuple[str, bytes]:
    """A source distribution."""
    content = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    member = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
    member.size = len(content)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(member, io.BytesIO(content))
    return f"{name}-{version}.tar.gz", buffer.getvalue()


def site(files: Iterable[tuple[str, bytes]]) -> Mapping[str, bytes]:
    """A static web site's files: the distributions, and for each project the page listing them."""
    found, pages = {}, dict[str, str]()
    for name, content in files:
        project = name.partition("-")[0].lower().replace("_", "-")
        digest = hashlib.sha256(content).hexdigest()
        found[f"files/{name}"] = content
        pages[project] = (
            pages.get(project, "") + f'<a href="../../files/{name}#sha256={digest}">{name}</a>\n'
        )
    return found | {
        f"simple/{project}/index.html": page.encode() for project, page in pages.items()
    }
