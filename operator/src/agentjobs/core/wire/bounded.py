"""Parses JSON from outside, after measuring it.

Python's parser takes a recursion for each level and a time that grows with the square of a
number's digits, and its result for `[[],[],...]` takes twenty times the bytes. Here size, depth and
digits are measured first, in a time linear in the input.
"""

from __future__ import annotations

import json
import re
from array import array
from itertools import accumulate
from typing import Any, Final, NoReturn

from agentjobs.core.errors import AgentjobsError

MAX_DIGITS: Final = 100
"""Digits of a number.

No honest program writes longer ones; Python refuses integers of more than 4,300."""
_DIGITS: Final = bytes(57 if byte in b"0123456789" else 32 for byte in range(256))
_LONG_NUMBER: Final = b"9" * (MAX_DIGITS + 1)
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes((byte in b"[{") + 255 * (byte in b"]}") for byte in range(256))


class Malformed(AgentjobsError, ValueError):
    """The text is not JSON within the bounds.

    The message is the end of a sentence about it: `is nested more than 64 levels deep`.
    """


def loads(
    data: bytes | str, *, max_bytes: int, max_depth: int, max_values: int | None = None
) -> Any:
    """The value of a JSON text in UTF-8.

    Raises Malformed, and nothing else, whatever the text holds.

    `max_depth`: of arrays and objects inside one another; `{}` has 1. It has to stay well below
    Python's limit of recursions (1,000). `max_values`: of all values together, members of arrays
    and objects included; each takes up to 200 bytes of memory.
    """
    if len(data) > max_bytes:
        raise Malformed(f"has more than {max_bytes} bytes")
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > max_bytes:
        raise Malformed(f"has {len(raw)} bytes, and at most {max_bytes} are allowed")
    _measure(raw, max_depth, len(raw) if max_values is None else max_values)
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
        if _HALF.search(raw):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise Malformed("contains text that is not Unicode") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"is not JSON: {error.msg} at byte {error.pos}") from None
    return value


def depth(data: bytes) -> int:
    """How deep arrays and objects are nested.

    For broken JSON the result may be too large, but not too small.
    """
    steps = array("b", _without_strings(data).translate(_STEPS, _NO_BRACKETS))
    return max(accumulate(steps), default=0)


def _without_strings(data: bytes) -> bytes:
    """The text without its strings, even one that never ends.

    Backslashes occur in strings only, and escape from left to right.
    """
    return b"".join(data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])


def _measure(raw: bytes, max_depth: int, max_values: int) -> None:
    """Checks the bounds.

    It first counts strings, too: a text that is small enough with them needs no closer look.
    """
    opened = raw.count(b"[") + raw.count(b"{")
    is_small = opened <= max_depth and opened + raw.count(b",") <= max_values
    if is_small and _LONG_NUMBER not in raw.translate(_DIGITS):
        return
    bare = _without_strings(raw)
    if _LONG_NUMBER in bare.translate(_DIGITS):
        raise Malformed(f"contains a number with more than {MAX_DIGITS} digits")
    if depth(bare) > max_depth:
        raise Malformed(f"is nested more than {max_depth} levels deep")
    if bare.count(b"[") + bare.count(b"{") + bare.count(b",") > max_values:
        raise Malformed(f"contains more than {max_values} values")


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not a JSON number", "", 0)
