"""Jobs in files: manifests, and what is rendered from scripts and agents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.files import agents, header, scripts
from agentjobs.cli.files.documents import Document, documents, line_of, words_of
from agentjobs.cli.files.json_text import JsonError, from_json
from agentjobs.cli.files.scripts import ScriptError
from agentjobs.cli.kube import Json

KIND: Final = "ScheduledAgentJob"
MANIFESTS: Final = frozenset({".yaml", ".yml", ".json"})
WITH_HEADER: Final = {".py": scripts.manifest, ".md": agents.manifest}
STANDARD_INPUT: Final = Path("-")
MAX_BYTES: Final = 8 << 20
"""Of a file: as many as eight of the largest jobs."""
RENDERED: Final = ("jobs", "agents")
"""The folders of a repository in which scripts and agents are looked for."""


@dataclass(frozen=True)
class FileJob:
    """A job's manifest. `where` names the file, and the document where there are several."""

    where: str
    manifest: Json
    document: Document | None = None
    path: tuple[int | str, ...] = ()
    """Where in that document it stands."""

    def place(self, *steps: int | str) -> str:
        """The file, and the line of a part of the manifest where that is known."""
        return (
            f"{self.where}:{self.document.line((*self.path, *steps))}"
            if self.document
            else self.where
        )

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def spec(self) -> Json:
        spec: Json = self.manifest["spec"]
        return spec

    @property
    def starts_after(self) -> list[str]:
        """The jobs that its triggers name.

        A manifest is not checked here: the API server says what is wrong with it.
        """
        triggers = self.spec.get("triggers")
        found = (
            [one["after"] for one in triggers if isinstance(one, dict) and "after" in one]
            if isinstance(triggers, list)
            else []
        )
        return [
            after["job"]
            for after in found
            if isinstance(after, dict) and isinstance(after.get("job"), str)
        ]


def jobs_in(paths: Iterable[Path]) -> list[FileJob]:
    """The jobs in these files and folders, by path. Raises CliError."""
    paths = list(paths)
    found = [
        job for path in paths for file in _files(path) for job in _jobs_of(file, named=file == path)
    ]
    if not found:
        raise none_in(paths)
    return found


def each_file(paths: Iterable[Path]) -> dict[str, list[FileJob] | CliError]:
    """Each file by name, in order: its jobs, or what is wrong with it and then none of its jobs."""
    found: dict[str, list[FileJob] | CliError] = {}
    for path in paths:
        for file in _files(path):
            where = called(file)
            try:
                before = found.get(where, [])
                found[where] = (
                    before
                    if isinstance(before, CliError)
                    else [*before, *_jobs_of(file, named=file == path)]
                )
            except CliError as problem:
                found[where] = problem
    return found


def none_in(paths: Iterable[Path]) -> CliError:
    """That there is nothing in these files."""
    return CliError(
        f"there is no {KIND} in {', '.join(map(str, paths))}",
        "name a manifest, a script or an agent file",
        Exit.USAGE,
    )


def _jobs_of(file: Path, *, named: bool) -> Iterator[FileJob]:
    """`named`: by the user, and not found in a folder."""
    text = read(file)
    if file.suffix in WITH_HEADER:
        yield from _with_header(file, text, named=named)
    else:
        yield from _manifests(called(file), text, as_json=file.suffix == ".json")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(
            file
            for file in path.iterdir()
            if file.suffix in {*MANIFESTS, *WITH_HEADER} and file.is_file()
        )
    return [path]


def _with_header(file: Path, text: str, *, named: bool) -> Iterator[FileJob]:
    """The job of a script or an agent file.

    In a folder one without a header is no job; one that was named should have been.
    """
    try:
        found = WITH_HEADER[file.suffix](file.stem, text)
    except ScriptError as error:
        raise CliError(f"{file}:{error.line}: {error}", error.remedy, Exit.USAGE) from None
    if found:
        yield _valid(FileJob(str(file), found[0]), found[1].lines)
    elif named:
        remedy = f"`kubectl saj new {file}` writes one: at least a description"
        raise CliError(f"{file}:1: this file has no header that makes it a job", remedy, Exit.USAGE)


def _valid(job: FileJob, lines: Mapping[str, int]) -> FileJob:
    """With each value in the type that the API takes.

    Raises CliError with the line of the key that is wrong, as far as that is known.
    """
    from pydantic import ValidationError

    from agentjobs.api.base import explain
    from agentjobs.api.job import ScheduledAgentJobSpec
    from agentjobs.api.resources import JOB

    try:
        spec = ScheduledAgentJobSpec.model_validate(job.spec)
    except ValidationError as error:
        where = _place(
            lines,
            [str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"]],
        )
        raise CliError(
            f"{job.where}:{where}: {explain(error)}", "correct that line", Exit.USAGE
        ) from None
    if problem := JOB.problem(job.manifest):
        raise CliError(
            f"{job.where}:{lines.get('name', 1)}: {problem}", "choose another name", Exit.USAGE
        )
    return FileJob(
        job.where,
        {**job.manifest, "spec": spec.model_dump(mode="json", by_alias=True, exclude_unset=True)},
    )


def _place(lines: Mapping[str, int], steps: Sequence[str]) -> int:
    """The line of the innermost key that stands in the file.

    A schedule stands in several keys: the line of the first one.
    """
    path = [header.kebab(step) for step in steps]
    keys = [".".join(path[start:end]) for end in range(len(path), 0, -1) for start in range(end)]
    if steps[:1] == ["schedule"]:
        keys += sorted(
            (key for key, field in header.keys().items() if field.startswith("schedule.")),
            key=lambda key: lines.get(key, 0),
        )
    return next((lines[key] for key in keys if key in lines), lines[""])


def called(path: Path) -> str:
    """What messages say for it."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def read(path: Path) -> str:
    """A file's text, or that of standard input. Raises CliError."""
    try:
        data = _bytes(path)
        return data.decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CliError(
            f"{called(path)}:{line}: byte {error.start} is not UTF-8",
            "save the file as UTF-8",
            Exit.USAGE,
        ) from None
    except OSError as error:
        raise CliError(
            f"{path}: {error.strerror}", "name a file that can be read", Exit.USAGE
        ) from None


def _bytes(path: Path) -> bytes:
    """Raises CliError, OSError. What is no file, a device for example, may have no end."""
    if path == STANDARD_INPUT:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    else:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise CliError(
            f"{called(path)}: has more than {MAX_BYTES >> 20} MiB",
            "split it: one file for each job",
            Exit.USAGE,
        )
    return data


def _manifests(where: str, text: str, *, as_json: bool = False) -> Iterator[FileJob]:
    try:
        found: list[tuple[Any, Document | None]] = (
            [(from_json(text), None)]
            if as_json
            else [(document.value, document) for document in documents(text)]
        )
    except JsonError as error:
        raise CliError(f"{where}:{error.line}: {error}", error.remedy, Exit.USAGE) from None
    except yaml.YAMLError as error:
        remedy, line = getattr(error, "remedy", "correct that line"), line_of(error, text)
        raise CliError(
            f"{where}{f':{line}' if line else ''}: this is not YAML: {words_of(error)}",
            remedy,
            Exit.USAGE,
        ) from None
    for value, document in found:
        for part, path in _flat(where, value):
            if isinstance(part, dict) and part.get("kind") == KIND:
                yield _checked(FileJob(where, part, document, path))


def _flat(where: str, document: Any) -> Iterator[tuple[Any, tuple[int | str, ...]]]:
    """The objects of a document, and where in it they stand."""
    if not isinstance(document, dict) or document.get("kind") != "List":
        yield document, ()
        return
    items = document.get("items") or []
    if not isinstance(items, list):
        raise CliError(
            f"{where}: the items of a List are not a list", "write each behind a dash", Exit.USAGE
        )
    yield from ((item, ("items", number)) for number, item in enumerate(items))


def _checked(job: FileJob) -> FileJob:
    metadata, spec = job.manifest.get("metadata"), job.manifest.get("spec")
    if (
        not isinstance(metadata, dict)
        or not isinstance(metadata.get("name"), str)
        or not isinstance(spec, dict)
    ):
        raise CliError(
            f"{job.place('metadata')}: a {KIND} needs metadata.name and spec",
            "add what is missing",
            Exit.USAGE,
        )
    return job
