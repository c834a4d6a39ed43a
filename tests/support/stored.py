"""Objects as the API server stores them."""

from __future__ import annotations

import json
from typing import Any


def as_go_writes_it(value: Any) -> str:
    """What the API server stores."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
