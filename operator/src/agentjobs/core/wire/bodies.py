"""Reads objects as the API server sends them, so that no object can break more than itself.

An object that cannot be read is reduced to what is left of it: metadata and the outermost fields,
and under UNREADABLE the end of a sentence that says why. The API server lets nobody store a field
of that name.
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
"""The field that holds an object's size as JSON, as the API server sent it.

That server lets nobody store such a field."""
MAX_BYTES: Final = 16 * 1024 * 1024
"""More than etcd accepts, at six bytes of JSON for one of text."""
MAX_DEPTH: Final = 100
"""Levels of arrays and objects.

A dataSchema may have 50 levels, each of up to two; Python's parser and what checks schemas recurse.
"""
MAX_VALUES: Final = 100_000
"""Values of an object: some 20 MB in memory at worst.

An event of 128 KiB with as many values as it can hold is still read."""
KEPT_DEPTHS: Final = (6, 4)
"""Levels that are kept of an object that cannot be read: the first of these at which it can.

At 6 a pod still says how its containers ended, but managedFields, which anybody who may annotate
the pod can inflate, is cut. At 4 an event's data is cut, and its id is not."""
TO_BRACKET: Final = re.compile(rb'[^"\[\]{}]*+(?:"[^"]*+"[^"\[\]{}]*+){0,500}([\[\]{}]?)')
"""In a text that was `masked`: skips strings up to the next bracket, or 500 strings.

Python 3.11.2, which Debian has, matches possessively repeated groups wrongly (gh-106052), and a
group repeated without a bound would take memory for each string."""
HEAVY: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    names.JOBS: (("spec",), ("status", "card"), ("status", "recentRuns"), ("status", "conditions")),
    names.RUNS: (
        ("spec", "trigger", "event", "data"),
        ("status", "stdout"),
        ("status", "stderr"),
        ("status", "resolvedPackages"),
    ),
    "configmaps": (("data",), ("binaryData",)),
    "cronjobs": (("spec",), ("status",)),
    "jobs": (("spec", "template"),),
    "pods": (("spec",),),
}
"""By plural: fields that are not needed from watch events."""


def read(data: bytes) -> Json:
    """Reads an object. Raises Malformed where not even its outermost levels can be read."""
    return _read(data, 0, lambda body: body)


def read_row(data: bytes) -> Json:
    """Reads a row of a Table, its `object` as `read` does.

    The managedFields are as deep as the object's fields are.
    """
    return _read(data, 1, lambda row: row["object"])


def read_event(line: bytes) -> Json:
    """Reads a line of a watch, its object as `read` does."""
    return _read(line, 1, lambda event: event["object"])


def _read(data: bytes, around: int, body_of: Any) -> Json:
    try:
        whole = _bounded(data, MAX_DEPTH + around)
        problem = None
    except Malformed as error:
        problem = str(error).replace(
            f"than {MAX_DEPTH + around} levels", f"than {MAX_DEPTH} levels"
        )
        whole = _what_is_left(data, around)
    if not isinstance(whole, dict):
        raise Malformed("is not an object")
    if problem:
        body_of(whole)[UNREADABLE] = problem
    return whole


def _what_is_left(data: bytes, around: int) -> Any:
    *tried, last = KEPT_DEPTHS
    for kept in tried:
        try:
            return _bounded(pruned(data, kept + around), MAX_DEPTH)
        except Malformed:
            continue
    return _bounded(pruned(data, last + around), MAX_DEPTH)


def _bounded(data: bytes, max_depth: int) -> Any:
    return loads(data, max_bytes=MAX_BYTES, max_depth=max_depth, max_values=MAX_VALUES)


def sized(body: Json, text: bytes) -> Json:
    """Adds the size of the text that the body was read from. Changes the body."""
    body[SIZE] = len(text)
    return body


def unreadable(body: Mapping[str, Any]) -> str | None:
    """The end of a sentence that says why the object could not be read; None where it could."""
    return body.get(UNREADABLE)


def masked(data: bytes) -> bytes:
    """The text without backslashes before quotes, at the same length.

    Every quote that is left begins or ends a string.
    """
    return data.replace(b"\\\\", b"__").replace(b'\\"', b"__")


def pruned(data: bytes, kept: int) -> bytes:
    """The text with null for each array and object that is inside more than `kept` others.

    Time is linear, a second for some megabytes.
    """
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
    """Removes what is large and not needed to see what happened to an object. Changes the body."""
    metadata = body.get("metadata") or {}
    metadata.pop("managedFields", None)
    if annotations := metadata.get("annotations"):
        ours = f"{names.GROUP}/"
        kept = {name: text for name, text in annotations.items() if name.startswith(ours)}
        metadata["annotations"] = kept
    for *path, last in HEAVY.get(plural, ()):
        place: Any = body
        for step in path:
            place = place.get(step) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)
    return body
