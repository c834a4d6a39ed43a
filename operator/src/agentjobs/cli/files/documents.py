"""YAML as people write it: fields in their order, texts of several lines as blocks.

The same value gives the same text.

What is read may come from anybody: nothing in it costs more than its size, and whatever is wrong
with it is reported with its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from agentjobs.core.errors import AgentjobsError

MAX_DEPTH: Final = 100
"""Lists and tables in each other. A job needs ten."""
MAX_BITS: Final = 1024
"""Of a whole number. Python refuses to write those of some 14,000."""
MAX_CHARACTERS: Final = 32 << 20
"""Of a document in which each alias is replaced by what it stands for."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _text)


class TwiceError(AgentjobsError, yaml.constructor.ConstructorError):
    """A key that stands twice in one mapping."""

    remedy = "keep one"


class EndlessError(AgentjobsError, yaml.composer.ComposerError):
    """An anchor that is used in what it stands for: a value without an end."""

    remedy = "write out what it stands for"


class UnusableError(AgentjobsError, yaml.constructor.ConstructorError):
    """A value that a job or an event cannot hold."""

    remedy = "write text, a number, true, false, a list or a table"


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML, dates (2026-01-05) and times of day (10:00) are text.

    So is `on`, which kubectl takes for true.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_document(self) -> yaml.Node | None:
        node = super().compose_document()
        if node is not None and _written_out(node, {}) > MAX_CHARACTERS:
            raise UnusableError(
                None,
                None,
                f"with each alias written out it has more than {MAX_CHARACTERS >> 20} MiB",
                node.start_mark,
            )
        return node

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnusableError(
                None, None, f"it is nested more than {MAX_DEPTH} levels deep", self.get_mark()
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        # Its end has not been read: this is an alias inside of what it stands for.
        if node is not None and node.end_mark is None:
            raise EndlessError(None, None, "this anchor contains itself", node.start_mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag not in _TAGS:
            raise UnusableError(
                None, None, f"{node.tag} is not a kind of value that is known here", node.start_mark
            )
        try:
            value = super().construct_object(node, deep=deep)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise UnusableError(None, None, "this value cannot be read", node.start_mark) from None
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise UnusableError(None, None, "this number has too many digits", node.start_mark)
        if isinstance(value, float) and not math.isfinite(value):
            raise UnusableError(None, None, "this is not a number in JSON", node.start_mark)
        return _text_of(value, node) if isinstance(value, str) else value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise UnusableError(None, None, "this is not a table", node.start_mark)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                raise TwiceError(
                    None, None, f"{key.value} stands here a second time", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _text_of(text: str, node: yaml.Node) -> str:
    """Two halves of a pair, which JSON's escapes are, as the character that they stand for.

    Raises UnusableError for half of one.
    """
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise UnusableError(
            None, None, "half of a surrogate pair is not a character", node.start_mark
        ) from None


def _written_out(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """Characters of a node, at least one, with what its aliases stand for."""
    if node not in known:
        parts = node.value if isinstance(node, yaml.SequenceNode) else ()
        parts = (
            [part for pair in node.value for part in pair]
            if isinstance(node, yaml.MappingNode)
            else parts
        )
        own = len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        known[node] = 1 + own + sum(_written_out(part, known) for part in parts)
    return known[node]


_MERGE: Final = "tag:yaml.org,2002:merge"
_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "seq", "map", "merge", "value")
)
_NO_NUMBER: Final = r"(?!.*:)(?!(?i:on|off)$)"
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(f"{_NO_NUMBER}(?:{known.pattern})", re.VERBOSE))
        for tag, known in rules
        if not tag.endswith(":timestamp")
    ]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def to_yaml(value: Any, *, unicode: bool = True) -> str:
    """One document for programs.

    A text that no block can hold, with blanks at a line's end for example, is quoted instead.

    `unicode`: whether characters beyond ASCII stand there as they are, or escaped.
    """
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=120)


def all_to_yaml(values: list[Any], *, unicode: bool = True) -> str:
    """A stream of documents."""
    return "---\n".join(to_yaml(value, unicode=unicode) for value in values)


@dataclass(frozen=True)
class Document:
    """A value that was read, and the nodes that it was read from."""

    value: Any
    node: yaml.Node

    def line(self, path: Sequence[int | str]) -> int:
        """Where this part of it stands, counted from 1; as much of the path as is there."""
        node, line = self.node, int(self.node.start_mark.line)
        for step in path:
            found = _below(node, step)
            if found is None:
                break
            line, node = int(found[0].start_mark.line), found[1]
        return line + 1


def _below(node: yaml.Node, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    """The key, or the entry, of this name; and its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def documents(text: str) -> list[Document]:
    """Those of a stream that are not empty.

    Raises yaml.YAMLError; TwiceError and EndlessError are such.
    """
    loader = _Loader(text)
    found = []
    try:
        while loader.check_node():
            node = loader.get_node()
            value = loader.construct_document(node)
            found += [Document(value, node)] if node is not None and value is not None else []
    finally:
        loader.dispose()
    return found


def from_yaml(text: str) -> list[Any]:
    """The same, without where they stand."""
    return [document.value for document in documents(text)]


def line_of(error: yaml.YAMLError, text: str) -> int | None:
    """Where it is, counted from 1."""
    if mark := getattr(error, "problem_mark", None):
        return int(mark.line) + 1
    position = getattr(error, "position", None)
    return None if position is None else text.count("\n", 0, position) + 1


def words_of(error: yaml.YAMLError) -> str:
    """What is wrong, in one line."""
    reason = getattr(error, "reason", None)
    if reason and getattr(error, "position", None) is not None:
        return (
            f"the character {chr(int(getattr(error, 'character', 0) or 0))!a} may not stand there"
        )
    return " ".join(str(getattr(error, "problem", None) or error).split())[:300]


def most(lines: Sequence[str], signs: str) -> int:
    """The line, from 0, with most of these characters, if a parser does not say where it failed."""
    counts = [sum(line.count(sign) for sign in signs) for line in lines]
    return counts.index(max(counts)) if counts else 0


def too_deep(value: Any) -> bool:
    """Whether a value read by something else is nested more deeply than one that is read here."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for held in level
            if isinstance(held, Mapping | list)
            for part in (held.values() if isinstance(held, Mapping) else held)
        ]
        if not level:
            return False
    return True
