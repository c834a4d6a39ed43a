"""JSON that somebody else wrote: measured before it is parsed.

Python's parser takes a recursion for each level and a time that grows with the square of a
number's digits, and what it makes of `[[],[],...]` takes twenty times the bytes. Here size, depth and
digits are known first, in a time linear in the input.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, Final, NoReturn

from agentjobs.core.errors import AgentjobsError

MAX_DIGITS: Final = 100
"""Of a number. No program that means its numbers writes longer ones; Python refuses integers of more than 4,300."""
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""Also one that never ends. It cannot backtrack: its time is linear."""
_LONG_NUMBER: Final = re.compile(rb"(?<![0-9])[0-9]{%d}" % (MAX_DIGITS + 1))
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes(1 if byte in b"[{" else 255 if byte in b"]}" else 0 for byte in range(256))


class Malformed(AgentjobsError, ValueError):
    """The message is the end of a sentence that begins with what was read: `is nested more than 64 levels deep`."""


def loads(data: bytes | str, *, max_bytes: int, max_depth: int) -> Any:
    """The value of a JSON text in UTF-8. Raises Malformed, and nothing else, whatever the text holds.

    `max_depth`: of arrays and objects inside one another; `{}` has 1. It has to stay well below Python's limit of recursions (1,000).
    """
    if len(data) > max_bytes:
        raise Malformed(f"has more than {max_bytes} bytes")
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > max_bytes:
        raise Malformed(f"has {len(raw)} bytes, at most {max_bytes} are read")
    _measure(raw, max_depth)
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
        if _HALF.search(raw):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise Malformed("holds text that is no Unicode") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"is no JSON: {error.msg} at byte {error.pos}") from None
    return value


def depth(data: bytes) -> int:
    """How many arrays and objects are inside one another, at most; of a broken text some number that is not too small."""
    brackets = _STRING.sub(b"", data).translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(step if step == 1 else -1 for step in brackets), default=0)


def _measure(raw: bytes, max_depth: int) -> None:
    bare = _STRING.sub(b"", raw)
    if _LONG_NUMBER.search(bare):
        raise Malformed(f"holds a number of more than {MAX_DIGITS} digits")
    if bare.count(b"[") + bare.count(b"{") > max_depth and depth(bare) > max_depth:
        raise Malformed(f"is nested more than {max_depth} levels deep")


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no number of JSON", "", 0)
