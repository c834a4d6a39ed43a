"""Checks an event's data against the JSON Schema of a trigger, with a bound on the work.

The job's author writes the schema, data comes from anywhere, and one operator checks for everybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator

from agentjobs.core.errors import UserError

MAX_SCHEMA_BYTES: Final = 16 * 1024
MAX_STEPS: Final = 50_000
"""Nodes of the schema times nodes of the data: this many take some tenths of a second."""
MAX_DEPTH: Final = 50
LARGEST: Final = 2**53
"""Beyond it two numbers can be the same in canonical JSON (RFC 8785), and so in a digest."""
_WORDS: Final = frozenset(
    {"$schema", "$comment", "title", "description", "default", "examples", "deprecated", "format"}
)
_KINDS: Final = frozenset({"type", "required"})
_NUMBERS: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "enum"}
)
_SIZES: Final = frozenset(
    {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
)
_ONE: Final = frozenset(
    {"additionalProperties", "items", "not", "if", "then", "else", "propertyNames", "contains"}
)
_MANY: Final = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_NAMED: Final = frozenset({"properties"})
TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
KEYWORDS: Final = _WORDS | _KINDS | _NUMBERS | _SIZES | _ONE | _MANY | _NAMED
"""Keywords whose check always ends.

There are no references, which can run in circles or be elsewhere, no patterns, and no comparing of
all with all."""


def check(schema: Mapping[str, Any], path: str) -> None:
    """Checks a schema. Raises UserError, with a sentence that says what to write instead."""
    if len(json.dumps(schema).encode()) > MAX_SCHEMA_BYTES:
        raise UserError(
            f"{path}: has more than {MAX_SCHEMA_BYTES} bytes; describe only what the script"
            " relies on"
        )
    for part in _schemas(schema):
        unknown = sorted(part.keys() - KEYWORDS)
        if unknown:
            raise UserError(
                f"{path}: the keyword {unknown[0][:64]!r} is not supported, nor are references,"
                " patterns and rare keywords; describe without them what the script relies on"
            )
    if any(isinstance(node, int | float) and abs(node) > LARGEST for node in _nodes(schema)):
        raise UserError(f"{path}: numbers beyond {LARGEST} are not exact in JSON; leave them out")
    if (where := _misfit(schema)) is not None:
        raise UserError(
            f"{path}: is not a valid JSON Schema: the value at {where[:128] or 'the root'} is not"
            " allowed there"
        )


def problem(schema: Mapping[str, Any], data: object) -> str | None:
    """Says what is wrong with the data, without quoting it; None: nothing."""
    if _count(schema) * _count(data) > MAX_STEPS:
        return (
            "data is too large to be checked against the trigger's dataSchema; send less data, or"
            " shorten the schema"
        )
    error = next(Draft202012Validator(dict(schema)).iter_errors(data), None)
    if error is None:
        return None
    rule = "/".join(map(str, error.absolute_schema_path))
    return (
        f"data does not match the trigger's dataSchema at {rule[:256]}"
        f"{_missing(error.validator, error.validator_value, error.instance)}"
    )


def _missing(keyword: Any, names: Any, data: Any) -> str:
    """Which property of the schema is missing, so that nothing of the data is quoted."""
    if keyword != "required":
        return ""
    found = next((name for name in names if name not in data), "")
    return f": the property {found[:64]!r} is missing"


def _schemas(schema: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yields the schema and those inside it. Raises UserError where they are nested too deeply."""
    if depth > MAX_DEPTH:
        raise UserError(f"triggers: a dataSchema is nested more than {MAX_DEPTH} levels deep")
    if not isinstance(schema, Mapping):
        return
    yield schema
    inner = [schema[key] for key in _ONE if key in schema]
    inner += [part for key in _MANY if isinstance(schema.get(key), list) for part in schema[key]]
    named = [schema[key] for key in _NAMED if isinstance(schema.get(key), Mapping)]
    inner += [part for parts in named for part in parts.values()]
    for part in inner:
        yield from _schemas(part, depth + 1)


def _misfit(schema: object, where: str = "") -> str | None:
    """The path of a keyword whose value is not what the metaschema asks for; None: there is none.

    Using the metaschema takes a second.
    """
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, Mapping):
        return where
    for key, value in schema.items():
        place = f"{where}/{key}".lstrip("/")
        if not _fits(key, value):
            return place
        inner = {"": value} if key in _ONE else {}
        if key in _MANY:
            inner = {f"/{number}": part for number, part in enumerate(value)}
        elif key in _NAMED:
            inner = {f"/{name}": part for name, part in value.items()}
        for step, part in inner.items():
            if (found := _misfit(part, place + step)) is not None:
                return found
    return None


def _fits(key: str, value: Any) -> bool:
    """Whether a keyword's own value is valid, apart from schemas in it."""
    return _FITS[key](value) if key in _FITS else True


def _are_names(value: Any) -> bool:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return False
    return len(set(value)) == len(value)


def _are_types(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and _are_names(names) and TYPES.issuperset(names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_size(value: Any) -> bool:
    return _is_number(value) and value >= 0 and float(value).is_integer()


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(_SIZES, _is_size),
    **dict.fromkeys(_NUMBERS - {"const", "enum"}, _is_number),
    **dict.fromkeys(_MANY, lambda value: isinstance(value, list) and bool(value)),
    **dict.fromkeys(_NAMED, lambda value: isinstance(value, Mapping)),
    **dict.fromkeys(_WORDS - {"default"}, lambda value: isinstance(value, str)),
    "type": _are_types,
    "required": _are_names,
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "enum": lambda value: isinstance(value, list),
    "examples": lambda value: isinstance(value, list),
    "deprecated": lambda value: isinstance(value, bool),
}
"""Checks by keyword; the other keywords take anything, or schemas."""


def _nodes(value: object) -> Iterator[object]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Mapping):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _count(value: object) -> int:
    return sum(1 for _ in _nodes(value))
