"""Objects as the API server sends them, read so that no object can spoil more than itself.

One that cannot be read is kept as what is left of it: metadata and the outermost fields, and under UNREADABLE the end of a sentence
that says why. The API server lets nobody store a field of that name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from agentjobs.api import names
from agentjobs.core.wire.bounded import Malformed, loads

Json = dict[str, Any]

UNREADABLE: Final = "agentjobs.dev/unreadable"
SIZE: Final = "agentjobs.dev/bytes"
"""Where an object's size as JSON, as the API server sent it, stands in what was read of it. That server lets nobody store such a field."""
MAX_BYTES: Final = 16 * 1024 * 1024
"""More than etcd takes, at six bytes of JSON for one of text."""
MAX_DEPTH: Final = 100
"""Of arrays and objects. A dataSchema may have 50 levels, each of up to two; Python's parser and what checks schemas recurse."""
MAX_VALUES: Final = 100_000
"""Of an object: some 20 MB in memory at worst, while an event of 128 KiB that has as many as it can is read."""
KEPT_DEPTHS: Final = (6, 4)
"""What is left of an object that cannot be read, the first of these with which it can be. At 6 a pod still tells how its
containers ended; who set which of its fields, which anybody can blow up who may annotate it, is cut. At 4 the data of an
event is cut, and its id is not.
"""
TO_BRACKET: Final = re.compile(rb'[^"\[\]{}]*+(?:"[^"]*+"[^"\[\]{}]*+){0,500}([\[\]{}]?)')
"""In a text that `masked` has been over: past strings to the next bracket, or past 500 strings. Python 3.11.2, which Debian has, gets
groups wrong that are repeated possessively (gh-106052), and one repeated without a bound would take memory for each string.
"""
HEAVY: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    names.JOBS: (("spec",), ("status", "card"), ("status", "recentRuns"), ("status", "conditions")),
    names.RUNS: (("spec", "trigger", "event", "data"), ("status", "stdout"), ("status", "stderr"), ("status", "resolvedPackages")),
    "configmaps": (("data",), ("binaryData",)),
    "cronjobs": (("spec",), ("status",)),
    "jobs": (("spec", "template"),),
    "pods": (("spec",),),
}
"""By plural: what watch events are not needed for."""


def read(data: bytes) -> Json:
    """An object. Raises Malformed where not even what surrounds it can be read."""
    return _read(data, 0, lambda body: body)


def read_row(data: bytes) -> Json:
    """A row of a Table, its `object` as `read` gives it: what the API server notes of an object's fields is as deep as they are."""
    return _read(data, 1, lambda row: row["object"])


def read_event(line: bytes) -> Json:
    """A line of a watch, its object as `read` gives it."""
    return _read(line, 1, lambda event: event["object"])


def _read(data: bytes, around: int, body_of: Any) -> Json:
    try:
        whole = loads(data, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH + around, max_values=MAX_VALUES)
        problem = None
    except Malformed as error:
        problem = str(error).replace(f"than {MAX_DEPTH + around} levels", f"than {MAX_DEPTH} levels")
        whole = _what_is_left(data, around)
    if not isinstance(whole, dict):
        raise Malformed("is no object")
    if problem:
        body_of(whole)[UNREADABLE] = problem
    return whole


def _what_is_left(data: bytes, around: int) -> Any:
    *tried, last = KEPT_DEPTHS
    for kept in tried:
        try:
            return loads(pruned(data, kept + around), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH, max_values=MAX_VALUES)
        except Malformed:
            continue
    return loads(pruned(data, last + around), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH, max_values=MAX_VALUES)


def sized(body: Json, text: bytes) -> Json:
    """With the size of the text that it was read from. Changes the body."""
    body[SIZE] = len(text)
    return body


def unreadable(body: Mapping[str, Any]) -> str | None:
    """The end of a sentence that says why the object could not be read; None: it could."""
    return body.get(UNREADABLE)


def masked(data: bytes) -> bytes:
    """As long as the text, with no backslashes before quotes: every quote that is left begins or ends a string."""
    return data.replace(b"\\\\", b"__").replace(b'\\"', b"__")


def pruned(data: bytes, kept: int) -> bytes:
    """The text with null for each array and object that is inside more than `kept` others. Time is linear, a second for some megabytes."""
    parts: list[bytes] = []
    level = begin = scanned = 0
    text = masked(data)
    while (match := TO_BRACKET.match(text, scanned)) and match.end() > scanned:
        scanned = match.end()
        if match[1] in (b"[", b"{"):
            level += 1
            if level == kept + 1:
                parts += (data[begin : scanned - 1], b"null")
        elif match[1]:
            level -= 1
            if level == kept:
                begin = scanned
    return b"".join((*parts, data[begin:] if level <= kept else b""))


def slim(plural: str, body: Json) -> Json:
    """Without what is large and not needed to tell what happened to it. Changes the body."""
    metadata = body.get("metadata") or {}
    metadata.pop("managedFields", None)
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {name: text for name, text in annotations.items() if name.startswith(f"{names.GROUP}/")}
    for *path, last in HEAVY.get(plural, ()):
        place: Any = body
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)
    return body
