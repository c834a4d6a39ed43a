"""Hides the values of Secrets in what a script prints.

It hides them as they are, in base64 and URL-encoded, wherever chunks are cut.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = b"***"
# Shorter values would hide half of an ordinary text.
MIN_BYTES = 4
BASE64_LINE = 76  # as base64(1) and MIME wrap it
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def patterns(values: Iterable[bytes]) -> list[bytes]:
    """All forms in which these values are looked for, each once."""
    found: dict[bytes, None] = {}
    for value in values:
        for text in (value, value.strip()):
            if len(text) >= MIN_BYTES:
                forms = (*_lines(text), *_base64(text), *_url_encoded(text), *_escaped(text))
                found |= dict.fromkeys((text, *forms))
    return list(found)


def _lines(value: bytes) -> list[bytes]:
    """A key of many lines is often printed indented, or line by line."""
    lines = [line.strip() for line in value.splitlines()]
    return [line for line in lines if len(line) >= 2 * MIN_BYTES] if len(lines) > 1 else []


def _base64(value: bytes) -> list[bytes]:
    """The characters that depend on the value alone, whatever stands before and after it.

    Also in lines, as tools wrap them.
    """
    found = []
    for before in range(3):
        whole = binascii.b2a_base64(bytes(before) + value, newline=False)
        certain = whole[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
        found += [certain, certain.translate(bytes.maketrans(b"+/", b"-_"))]
    first = found[0]
    if len(first) > BASE64_LINE:
        starts = range(0, len(first), BASE64_LINE)
        found.append(b"\n".join(first[at : at + BASE64_LINE] for at in starts))
    return found


def _url_encoded(value: bytes) -> list[bytes]:
    """Strict, with / as it is as urllib.parse.quote does by default, and with + for a space.

    Each comes with hex digits of both cases.
    """
    ways = ((UNRESERVED, b"%20"), (UNRESERVED | {0x2F}, b"%20"), (UNRESERVED, b"+"))
    return [
        b"".join(
            bytes((c,)) if c in left else space if c == 0x20 else (form % c).encode() for c in value
        )
        for left, space in ways
        for form in ("%%%02X", "%%%02x")
    ]


def _escaped(value: bytes) -> list[bytes]:
    """As JSON and repr() write it, where that differs."""
    json = (
        value.replace(b"\\", b"\\\\")
        .replace(b'"', b'\\"')
        .replace(b"\n", b"\\n")
        .replace(b"\r", b"\\r")
        .replace(b"\t", b"\\t")
    )
    return [json, json.replace(b"/", b"\\/"), value.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")]


class Mask:
    """One stream's filter.

    What could be the beginning of a secret is held back until it is clear, at the latest by `end`.
    """

    __slots__ = ("_covered", "_held", "_inner", "_longest", "_patterns", "_shortest")

    def __init__(self, wanted: list[bytes]) -> None:
        self._patterns = wanted
        self._inner = frozenset(byte for pattern in wanted for byte in pattern[:-1])
        self._longest = max(map(len, wanted), default=0)
        self._shortest = min(map(len, wanted), default=0)
        self._held = b""
        # So many of the held bytes belong to a secret for which a mask is out already.
        self._covered = 0

    def feed(self, data: bytes) -> bytes:
        if not self._patterns:
            return data
        data = self._held + data
        cut = len(data) - self._open_end(data)
        return self._render(data, cut)

    def end(self) -> bytes:
        return self._render(self._held, len(self._held))

    def _open_end(self, data: bytes) -> int:
        """How many of the last bytes begin a secret that may go on."""
        if not data or data[-1] not in self._inner:
            return 0
        tail = data[max(0, len(data) - self._longest + 1) :]
        longest = 0
        for pattern in self._patterns:
            at = tail.find(pattern[:1], max(0, len(tail) - len(pattern) + 1))
            while at >= 0 and len(tail) - at > longest:
                if pattern.startswith(tail[at:]):
                    longest = len(tail) - at
                    break
                at = tail.find(pattern[:1], at + 1)
        return longest

    def _render(self, data: bytes, cut: int) -> bytes:
        """Everything before `cut`, masked; the rest is held."""
        spans = self._spans(data)
        self._held, covered, self._covered = data[cut:], self._covered, 0
        if not spans and not covered:
            return data[:cut]
        out, at = [], 0
        for start, end in _merged([(0, covered), *spans] if covered else spans):
            emitted = bool(covered) and start == 0
            if start >= cut and not emitted:
                break
            if not emitted:
                out += [data[at:start], MASK]
            at = end
            if end > cut:
                self._covered = end - cut
        return b"".join([*out, data[at:cut]])

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        if len(data) < self._shortest:
            return spans
        for pattern in self._patterns:
            at = data.find(pattern)
            while at >= 0:
                spans.append((at, at + len(pattern)))
                at = data.find(pattern, at + 1)
        return spans


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
