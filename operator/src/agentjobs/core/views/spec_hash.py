"""Compares what the server stores with what was written, without keeping either."""

from __future__ import annotations

import hashlib
import json
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Final

from agentjobs.api.quantity_rules import amount

_THOUSANDTH: Final = Decimal("0.001")


def spec_hash(spec: object) -> str:
    """A hash that is equal for equal JSON, in any order of keys, and for equal amounts.

    The API server turns 1024Mi into 1Gi.
    """
    text = json.dumps(_amounts(spec), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _amounts(value: object, key: str = "") -> object:
    if isinstance(value, dict):
        return {
            name: _amounts(part, key if key == "resources" else name)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_amounts(part) for part in value]
    return _amount(value) if key == "resources" and isinstance(value, str) else value


def _amount(quantity: str) -> str:
    """A quantity rounded up to thousandths, as the API server does.

    What this version cannot read stays as it is.
    """
    try:
        return str(amount(quantity).quantize(_THOUSANDTH, ROUND_CEILING))
    except (KeyError, InvalidOperation):
        return quantity
