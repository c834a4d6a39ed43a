"""The standard library's parts in C without the Python around them.

`signal` and `json` import enum, re and collections, `hashlib` loads OpenSSL: 15 ms and 6 MB
together, in every run, before the script starts. Where an interpreter lacks one of the parts, the
public module takes its place.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from hashlib import sha256
    from json import loads as _scan
    from json.encoder import encode_basestring
else:
    try:
        import _signal as signal
    except ImportError:
        import signal
    try:
        from _sha256 import sha256  # renamed in CPython 3.12
    except ImportError:
        from hashlib import sha256
    try:
        from _json import encode_basestring, make_scanner
    except ImportError:
        from json import loads as _scan
        from json.encoder import encode_basestring
    else:

        class _Settings:
            strict, object_hook, object_pairs_hook = True, None, None
            parse_float = parse_constant = float
            parse_int = int

        def _scan(text: str) -> object:
            try:
                return make_scanner(_Settings)(text, 0)[0]
            # SystemError, because json.decoder, whose error it would raise, is not loaded.
            except (StopIteration, SystemError):
                raise ValueError("not JSON") from None


__all__ = ["from_json", "sha256_hex", "signal", "to_json"]


def sha256_hex(data: bytes) -> str:
    return sha256(data).hexdigest()


def from_json(data: bytes) -> object:
    """Raises ValueError or RecursionError.

    Meant for canonical JSON of a known digest: what follows the first value is not looked at.
    """
    value: object = _scan(data.decode())
    return value


def to_json(record: Mapping[str, str | int | None]) -> bytes:
    """A flat object as UTF-8: escaped to ASCII a character of two bytes would take six."""
    pairs = (f"{encode_basestring(name)}:{_value(value)}" for name, value in record.items())
    return ("{" + ",".join(pairs) + "}").encode("utf-8", "backslashreplace")


def _value(value: str | int | None) -> str:
    if value is None:
        return "null"
    return str(value) if isinstance(value, int) else encode_basestring(value)
