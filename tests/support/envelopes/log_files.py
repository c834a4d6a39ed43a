"""How large a log becomes on a node."""

from __future__ import annotations

ROTATED_AT_BYTES = 10 * 1024 * 1024
ENVELOPE_BYTES = 91 * (8192 + 46)


def log_file_bytes(stream: bytes, piece: int = 16 * 1024) -> int:
    """What a stream takes in the runtime's log file.

    That is 45 bytes of time, stream and tag, and a newline, for each line or piece of one.
    """
    pieces = (max(1, -(-len(line) // piece)) for line in stream.removesuffix(b"\n").split(b"\n"))
    return len(stream) + sum(46 * count for count in pieces)
