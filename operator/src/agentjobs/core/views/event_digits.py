"""What distinguishes one event from another, as part of a name.

Light to import: names are computed before anything is read.
"""

from __future__ import annotations

import hashlib
from typing import Final

DIGITS: Final = 9


def digits(source: str, event_id: str, number: int = 0) -> str:
    """Hash digits of source and id, which together name an event.

    `number`: asks for other digits, where something else has the name with the ones before.
    """
    further = f"\n{number}" if number else ""
    return hashlib.sha256(f"{source}\n{event_id}{further}".encode()).hexdigest()[:DIGITS]
