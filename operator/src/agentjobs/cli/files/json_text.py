"""JSON that may come from anybody: what is wrong is reported with its line. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from agentjobs.cli.files.documents import MAX_DEPTH, most, too_deep
from agentjobs.core.errors import AgentjobsError

MAX_DIGITS: Final = 400
"""Of a number. Beyond it a program can no longer tell one from the next anyway."""


class JsonError(AgentjobsError):
    """`line` counts from 1."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.line = line
        self.remedy = remedy


def from_json(text: str) -> Any:
    """The value of one document. Raises JsonError."""
    reader = _Reader(text)
    try:
        value = json.loads(
            text,
            parse_constant=reader.constant,
            parse_int=reader.whole,
            parse_float=reader.real,
            object_pairs_hook=reader.table,
        )
        deep = too_deep(value)
    except json.JSONDecodeError as error:
        raise JsonError(
            error.lineno, f"this is not JSON: {error.msg}", "correct that line"
        ) from None
    except RecursionError:
        deep = True
    if deep:
        line = most(text.split("\n"), "[{") + 1
        raise JsonError(
            line, f"it is nested more than {MAX_DEPTH} levels deep", "write it flatter, or as text"
        )
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonError(
            reader.line("\\u"),
            "half of a surrogate pair is not a character",
            "write the character itself",
        ) from None
    return value


@dataclass(frozen=True)
class _Reader:
    """What is refused that Python's parser takes, and on which line."""

    text: str

    def line(self, part: str, number: int = 1) -> int:
        """Of the first, second ... time that the text has this part."""
        at = -1
        for _ in range(number):
            at = self.text.find(part, at + 1)
        return self.text.count("\n", 0, max(at, 0)) + 1

    def constant(self, word: str) -> NoReturn:
        raise JsonError(self.line(word), f"{word} is not JSON", "write a number, or null")

    def whole(self, digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise JsonError(
                self.line(digits), f"a number has {len(digits)} digits", "write it as text"
            )
        return int(digits)

    def real(self, digits: str) -> float:
        if len(digits) > MAX_DIGITS or not math.isfinite(float(digits)):
            raise JsonError(
                self.line(digits), "a number is too large or too long", "write it as text"
            )
        return float(digits)

    def table(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                line = self.line(json.dumps(key, ensure_ascii=False), 2)
                raise JsonError(line, f"{key[:100]} stands in a table a second time", "keep one")
            found[key] = value
        return found
