"""Refuses, before it starts, a script that imports what is not there.

So no work is left half done for a missing package.

Two steps, since the first costs hardly anything and is enough for nearly every script: the lines
that look like imports, and the interpreter's folders. Where that leaves a doubt the script's own
interpreter decides, by `lookup`.
"""

from __future__ import annotations

import os
import select
import sys
import time

from agentjobs_runner import proc
from agentjobs_runner.quick import signal
from agentjobs_runner.report import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.machinery import PathFinder

    Missing = list[tuple[int, str]]
else:
    PathFinder = sys.meta_path[-1]

# After that the script is started: plain Python tells what is wrong.
ASK_SECONDS = 5.0
MAX_ANSWER_BYTES = 16 * 1024
SHOWN = 5


def require_imports(path: str, environment: Mapping[str, str]) -> None:
    """Raises RefusedError when an import of the script at `path` cannot succeed.

    `environment`: what the script would get.
    """
    missing = find_missing(path, environment)
    if missing:
        raise RefusedError("MissingImport", _sentence(missing))


def _sentence(missing: Missing) -> str:
    from agentjobs_runner.distributions import lacking  # noqa: PLC0415  needed in failing runs only

    said = [(line, name, *lacking(name)) for line, name in missing]
    shown = ", ".join(
        f"line {line} imports {name!r} ({what})" for line, name, what, _ in said[:SHOWN]
    )
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    verb = "is" if len(said) == 1 else "are"
    return (
        f"{shown}{more}, which {verb} not installed, so the script was not started;"
        f" {'; '.join({advice: None for *_, advice in said})}"
    )


def find_missing(path: str, environment: Mapping[str, str]) -> Missing:
    """Line and first name of each import that cannot succeed."""
    with open(path, "rb") as file:
        names = likely_imports(file.read())
    folders = [*sys.path[1:], *_folders(path, environment)]
    if names is not None and all(_is_found(name, folders) for name in names):
        return []
    return _ask(path, environment)


def _is_found(name: str, folders: list[str]) -> bool:
    return name in sys.builtin_module_names or PathFinder.find_spec(name, folders) is not None


def likely_imports(source: bytes) -> set[str] | None:
    """First names in what looks like an import at the beginning of a line.

    None where only a parser can tell.
    """
    names: set[str] = set()
    for line in source.removeprefix(b"\xef\xbb\xbf").splitlines():
        if b"import" not in line and not line.startswith(b"from"):
            continue
        code = line.partition(b"#")[0]
        if b";" in code or code.endswith(b"\\"):
            return None
        words = code.split(None, 1)
        if len(words) == 2 and words[0] == b"import":
            names.update(_first_name(part) for part in words[1].split(b","))
        elif len(words) == 2 and words[0] == b"from" and not words[1].startswith(b"."):
            names.add(_first_name(words[1]))
    return names


def _first_name(text: bytes) -> str:
    return text.strip().partition(b" ")[0].partition(b".")[0].decode("utf-8", "replace")


def _folders(path: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Where the script's interpreter looks, beside its standard library."""
    yield os.path.dirname(path)
    yield from filter(None, environment.get("PYTHONPATH", "").split(":"))
    for folder in environment.get("PATH", "").split(":"):
        if os.access(os.path.join(folder, "python3"), os.X_OK):
            base = os.path.dirname(folder)
            if os.path.exists(os.path.join(base, "pyvenv.cfg")):
                yield os.path.join(
                    base, "lib", "python{}.{}".format(*sys.version_info), "site-packages"
                )
            return


def _ask(path: str, environment: Mapping[str, str]) -> Missing:
    """The answer of the script's interpreter; nothing is missing where it has none."""
    reader, writer = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        command = ["python3", os.path.join(os.path.dirname(__file__), "lookup.py"), path]
        child = proc.start(command, environment, writer, nowhere)
    except OSError:
        os.close(reader)
        return []
    finally:
        os.close(nowhere)
        os.close(writer)
    try:
        return _parsed(_read(reader))
    finally:
        os.close(reader)
        _end(child)


def _read(source: int) -> bytes:
    answer, deadline = b"", time.monotonic() + ASK_SECONDS
    while (
        len(answer) < MAX_ANSWER_BYTES
        and select.select([source], [], [], max(0.0, deadline - time.monotonic()))[0]
    ):
        chunk = os.read(source, MAX_ANSWER_BYTES)
        if not chunk:
            break
        answer += chunk
    return answer


def _parsed(answer: bytes) -> Missing:
    *lines, last = answer.decode("utf-8", "replace").splitlines() or [""]
    if last != "end":
        return []
    pairs = [line.split(" ", 1) for line in lines]
    return [(int(line), name) for line, name in pairs]


def _end(child: int) -> None:
    """It is over, or it had its time. The supervisor buries it."""
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
