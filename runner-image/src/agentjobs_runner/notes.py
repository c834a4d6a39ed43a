"""What calls of pi left for the record: one JSON object a line, written by processes of the run.

    {"input": 12, "output": 3, "microUSD": 40}                 tokens and cost of a request
    {"remark": ...}                                            something that the record should say
    {"reason": "ModelError", "message": ...}                   how an agent's run ended
    {"failed": "NoModel", "message": ..., "needs": true}       a script's call that failed

`needs` says that a model, a key or an endpoint was missing.

Any process of the run could have written there, so nothing is believed: what is no small regular
file of short lines is passed over, and a sentence is masked like output, on one line, and short.
"""

from __future__ import annotations

import os

from agentjobs_runner.mask import Mask, patterns
from agentjobs_runner.quick import from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE = "tmp/agentjobs/notes.jsonl"
MAX_BYTES = 1024 * 1024
MAX_LINES = 20_000
MAX_LINE_BYTES = 8 * 1024
MAX_COUNT = 2**53
MAX_REMARKS = 5
MAX_SENTENCE = 300
MAX_REASON = 64
REGULAR, KIND = 0o100000, 0o170000

Sentence = tuple[str, str]
"""A reason of the record, and what people read."""


class Notes:
    """All notes of a run, as they were found.

    The tokens are None when no model was called, and the cost, in millionths of a dollar, also when
    a price is not known. `needed` is of the first call that failed for want of a model, a key or an
    endpoint.
    """

    __slots__ = (
        "cost",
        "failed",
        "input",
        "last_failure",
        "needed",
        "output",
        "remarks",
        "verdict",
    )

    def __init__(self) -> None:
        self.input: int | None = None
        self.output: int | None = None
        self.cost: int | None = None
        self.remarks: list[str] = []
        self.verdict: Sentence | None = None
        self.failed = 0
        self.last_failure: Sentence | None = None
        self.needed: Sentence | None = None

    def take(self, note: dict[str, object]) -> None:
        """Whatever it holds."""
        if "input" in note:
            self._count(note)
        remark = note.get("remark")
        if isinstance(remark, str) and len(self.remarks) < MAX_REMARKS:
            self.remarks.append(remark)
        self.verdict = _sentence(note, "reason") or self.verdict
        found = _sentence(note, "failed")
        if found and found[0] != "Completed":
            self.failed += 1
            self.last_failure = found
            if note.get("needs") is True:
                self.needed = self.needed or found

    def _count(self, note: dict[str, object]) -> None:
        known = (self.input is None or self.cost is not None) and note.get("microUSD") is not None
        self.input = _sum(self.input, note["input"])
        self.output = _sum(self.output, note.get("output"))
        self.cost = _sum(self.cost, note["microUSD"]) if known else None


class Reader:
    """Makes sentences of notes fit for a record.

    They are masked like output, on one line, without what does not print, and short.
    """

    __slots__ = ("_patterns",)

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._patterns = patterns(secrets)

    def __call__(self, text: str) -> str:
        plain = "".join(sign if sign.isprintable() else " " for sign in self._masked(text))
        shown = self._masked(" ".join(plain.split()))
        return shown if len(shown) <= MAX_SENTENCE else f"{shown[: MAX_SENTENCE - 1]}…"

    def _masked(self, text: str) -> str:
        mask = Mask(self._patterns)
        return (mask.feed(text.encode("utf-8", "replace")) + mask.end()).decode("utf-8", "replace")


def read(root: str) -> Notes:
    """The notes of the run below `root`. Never waits, and reads MAX_BYTES at most."""
    notes = Notes()
    for line in _lines(os.path.join(root, FILE)):
        try:
            note = from_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(note, dict):
            notes.take(note)
    return notes


def _lines(path: str) -> Iterator[bytes]:
    """Those that may hold an object.

    Of a regular file only: a pipe or a device in its place is not waited for, a link not followed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if os.fstat(descriptor).st_mode & KIND != REGULAR:
            return
        data = os.read(descriptor, MAX_BYTES)
    except OSError:
        return
    finally:
        os.close(descriptor)
    at = 0
    for _ in range(MAX_LINES):
        if at >= len(data):
            return
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        if data[at : at + 1] == b"{" and end - at <= MAX_LINE_BYTES:
            yield data[at:end]
        at = end + 1


def _sentence(note: dict[str, object], name: str) -> Sentence | None:
    reason, message = note.get(name), note.get("message")
    if not isinstance(reason, str) or not isinstance(message, str):
        return None
    is_camel_case = reason.isalnum() and reason.isascii() and reason[0].isupper()
    return (reason, message) if is_camel_case and len(reason) <= MAX_REASON else None


def _sum(so_far: int | None, count: object) -> int:
    more = count if type(count) is int and count > 0 else 0
    return min((so_far or 0) + more, MAX_COUNT)
