"""A script's text as the bytes of its file, which Python can read as UTF-8 only.

A comment on the first line, or on the second behind a blank or comment, may name another encoding
(PEP 263), and Python would then run other text than was approved. The operator refuses such texts;
here nothing depends on that.
"""

from __future__ import annotations

from agentjobs_runner.report import RefusedError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS = b" \t\f"
NAME = b"-_.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def file_of(script: str) -> bytes:
    """The script's UTF-8. Raises RefusedError where it declares another encoding, or is not text.

    Should something in the first two lines look like a declaration that does not count, a byte
    order mark goes ahead: with one Python reads UTF-8 or nothing, however it understands those
    lines.
    """
    try:
        source = script.encode()
    except UnicodeEncodeError as error:
        raise RefusedError("RevisionUnreadable", "the script is not valid Unicode text") from error
    declared = declaration(source)
    if declared and not _is_utf_8(declared[1]):
        line, name = declared[0], declared[1].decode()
        raise RefusedError(
            "EncodingRefused",
            f"line {line} of the script declares the encoding {name[:40]!r}, so Python would run a"
            " text other than the approved one; remove that comment, or write utf-8 in it",
        )
    alike = all(_is_utf_8(name) for line in _first_lines(source) for name in _names(line))
    return source if alike or source.startswith(BYTE_ORDER_MARK) else BYTE_ORDER_MARK + source


def declaration(source: bytes) -> tuple[int, bytes] | None:
    """(line, name) of the encoding Python would read, as its tokenizer's get_coding_spec does."""
    for number, line in enumerate(_first_lines(source), 1):
        code = line.lstrip(BLANKS)
        if code and not code.startswith(b"#"):
            return None
        for name in _names(code):
            return number, name
    return None


def _first_lines(source: bytes) -> list[bytes]:
    """Two; bytes.splitlines ends lines where Python's tokenizer does: at \\n, \\r\\n and \\r."""
    return source.removeprefix(BYTE_ORDER_MARK).splitlines()[:2]


def _names(line: bytes) -> list[bytes]:
    """All that stand where an encoding's would, in order."""
    found, at = [], line.find(b"coding")
    while at >= 0:
        at += len(b"coding")
        if line[at : at + 1] in (b":", b"="):
            begin = _after(line, at + 1, b" \t")
            end = _after(line, begin, NAME)
            found += [line[begin:end]] if begin < end else []
        at = line.find(b"coding", at)
    return found


def _after(line: bytes, at: int, passed: bytes) -> int:
    while at < len(line) and line[at] in passed:
        at += 1
    return at


def _is_utf_8(name: bytes) -> bool:
    plain = name.lower().replace(b"_", b"-")
    return name.lower() == b"utf8" or plain == b"utf-8" or plain.startswith(b"utf-8-")
