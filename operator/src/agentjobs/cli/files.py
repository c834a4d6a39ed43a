"""Jobs in files: manifests, and what is rendered from scripts and agents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from agentjobs.cli.documents import from_yaml
from agentjobs.cli.kube import Json
from agentjobs.cli.problem import Exit, Problem

KIND: Final = "ScheduledAgentJob"
MANIFESTS: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True)
class FileJob:
    """A job's manifest. `where` names the file, and the document where there are several."""

    where: str
    manifest: Json

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def spec(self) -> Json:
        spec: Json = self.manifest["spec"]
        return spec


def jobs_in(paths: Iterable[Path]) -> list[FileJob]:
    """The jobs in these files and folders, by path. Raises Problem."""
    found = [job for path in paths for job in _jobs_of(path)]
    if not found:
        raise Problem(f"there is no {KIND} in {', '.join(map(str, paths))}", "name a manifest, a script or an agent file", Exit.USAGE)
    return found


def _jobs_of(path: Path) -> Iterator[FileJob]:
    if str(path) == "-":
        yield from _manifests("standard input", sys.stdin.read())
        return
    for file in _files(path):
        yield from _manifests(str(file), read(file))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in MANIFESTS and file.is_file())
    return [path]


def read(path: Path) -> str:
    """A file's text. Raises Problem."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Problem(f"{path}: byte {error.start} is not UTF-8", "save the file as UTF-8", Exit.USAGE) from None
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", "name a file that can be read", Exit.USAGE) from None


def _manifests(where: str, text: str) -> Iterator[FileJob]:
    try:
        documents = from_yaml(text)
    except yaml.YAMLError as error:
        raise Problem(f"{where}{_line(error)}: this is not YAML: {_problem(error)}", "correct that line", Exit.USAGE) from None
    for number, document in enumerate(_flat(documents), start=1):
        if isinstance(document, dict) and document.get("kind") == KIND:
            yield FileJob(where, _checked(f"{where}, document {number}" if len(documents) > 1 else where, document))


def _flat(documents: Iterable[Any]) -> Iterator[Any]:
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "List":
            yield from document.get("items") or ()
        else:
            yield document


def _checked(where: str, document: dict[str, Any]) -> Json:
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not isinstance(spec, dict):
        raise Problem(f"{where}: a {KIND} needs metadata.name and spec", "add what is missing", Exit.USAGE)
    return document


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).strip()
