"""kubectl and an API server with objects in memory: as much of both as the command line needs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import IO, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import typer

from agentjobs.cli import screen
from agentjobs.cli.errors import CliError, kubectl_error
from agentjobs.cli.kube import Kube

Json = dict[str, Any]
NAMESPACE: Final = "team"


@dataclass(frozen=True)
class FakeKube(Kube):
    """Objects by the name of their collection.

    `forbidden`: collections that the user may not read. `wrote`: what was created.

    Time goes by only while something waits: `waits` are the seconds so far, and `later` is what
    happens in the next pauses. `watches`: what the next ones answer, to end at once; any other says
    nothing until its time is over.
    """

    chosen: str | None = NAMESPACE
    objects: dict[str, list[Json]] = field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()
    wrote: list[Json] = field(default_factory=list)
    log: bytes = b""
    watches: list[bytes] = field(default_factory=list)
    later: list[Callable[[], object]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    user: str = "ana@example.com"

    def run(self, *arguments: str, stdin: str = "") -> str:
        if arguments[0] == "apply":
            return ""
        if arguments[0] == "patch":
            return json.dumps(self._found(arguments[1].partition(".")[0], arguments[2]))
        verb, address = (
            arguments[0],
            urlsplit(next(word for word in arguments if word.startswith("/"))),
        )
        collection, name = self._named(unquote(address.path))
        if collection in self.forbidden:
            raise kubectl_error(
                f'Error from server (Forbidden): {collection} is forbidden: User "{self.user}"'
                " cannot do that"
            )
        if verb == "create":
            return json.dumps(self._create(collection, json.loads(stdin)))
        if verb == "delete":
            self.objects[collection].remove(self._found(collection, name))
            return json.dumps({"kind": "Status", "status": "Success"})
        if name:
            return json.dumps(self._found(collection, name))
        wanted = [one.partition("=") for one in parse_qs(address.query).get("fieldSelector", [])]
        items = [
            body
            for body in self.objects.get(collection, [])
            if all(_at(body, path) == value for path, _, value in wanted)
        ]
        return json.dumps(
            {"items": items, "metadata": {}, "resources": self.objects.get("resources", [])}
        )

    @contextmanager
    def stream(self, *arguments: str, seconds: float) -> Iterator[IO[bytes]]:
        if arguments[0] == "logs":
            yield io.BytesIO(self.log)
        elif self.watches:
            yield io.BytesIO(self.watches.pop(0))
        else:
            self.waits.append(seconds)
            yield io.BytesIO()

    def clock(self) -> float:
        return sum(self.waits)

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.later:
            self.later.pop(0)()

    def _named(self, path: str) -> tuple[str, str]:
        steps = path.strip("/").split("/")
        steps = steps[2:] if steps[0] == "api" else steps[3:]
        steps = steps[2:] if steps[:1] == ["namespaces"] else steps
        return (steps or ["resources"])[0], "/".join(steps[1:])

    def _found(self, collection: str, name: str) -> Json:
        for body in self.objects.get(collection, []):
            if body["metadata"]["name"] == name:
                return body
        raise kubectl_error(f'Error from server (NotFound): {collection} "{name}" not found')

    def _create(self, collection: str, body: Json) -> Json:
        if collection == "selfsubjectreviews":
            return {"status": {"userInfo": {"username": self.user}}}
        if collection == "selfsubjectaccessreviews":
            return {"status": {"allowed": True}}
        metadata = body["metadata"]
        name = metadata.get("name") or f"{metadata['generateName']}{len(self.wrote):05}"
        if any(known["metadata"]["name"] == name for known in self.objects.get(collection, [])):
            raise kubectl_error(
                f'Error from server (AlreadyExists): {collection} "{name}" already exists'
            )
        made = {**body, "metadata": {**metadata, "name": name, "namespace": NAMESPACE}}
        made["spec"] = {
            **made["spec"],
            **({"approvedBy": self.user} if "decision" in made["spec"] else {}),
        }
        self.objects.setdefault(collection, []).append(made)
        self.wrote.append(made)
        return made


def _at(body: Json, path: str) -> Any:
    found: Any = body
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


class Screen(io.TextIOWrapper):
    """What a command prints; as a terminal it can show colours, and it is no keyboard."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__(
            io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True
        )
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def bytes(self) -> bytes:
        self.flush()
        held = self.buffer
        assert isinstance(held, io.BytesIO)
        return held.getvalue()


class Keyboard(io.StringIO):
    """A terminal on which this is typed, a line for each question."""

    def isatty(self) -> bool:
        return True


@contextmanager
def typed(*answers: str) -> Iterator[Keyboard]:
    """Standard input is a keyboard."""
    before, sys.stdin = sys.stdin, Keyboard("".join(f"{answer}\n" for answer in answers))
    try:
        yield sys.stdin
    finally:
        sys.stdin = before


def ran(
    command: Callable[..., None],
    kube: Kube | None,
    *arguments: Any,
    terminal: bool = False,
    **given: Any,
) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error of a command, as `main` would end it."""
    own = getattr(command, "__wrapped__", command)
    out, err = Screen(terminal=terminal), Screen(terminal=terminal)
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            own(*([kube] if kube else []), *arguments, **given)
        except typer.Exit as end:
            code = end.exit_code
        except CliError as problem:
            screen.failed(problem)
            code = problem.code
    return code, out.bytes, err.bytes.decode()
