"""YAML as people write it: fields in their order, texts of several lines as blocks. The same value gives the same text."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


class TwiceError(yaml.constructor.ConstructorError):
    """A key that stands twice in one mapping."""

    remedy = "keep one"


class EndlessError(yaml.composer.ComposerError):
    """An anchor that is used in what it stands for: a value without an end."""

    remedy = "write out what it stands for"


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML, dates (2026-01-05) and times of day (10:00) are text. So is `on`, which kubectl takes for true."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        node = super().compose_node(parent, index)
        if node is not None and node.end_mark is None:  # its end has not been read: this is an alias inside of what it stands for
            raise EndlessError(None, None, "this anchor contains itself", node.start_mark)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                raise TwiceError(None, None, f"{key.value} stands here a second time", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_MERGE: Final = "tag:yaml.org,2002:merge"
_NO_NUMBER: Final = r"(?!.*:)(?!(?i:on|off)$)"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, re.compile(f"{_NO_NUMBER}(?:{known.pattern})", re.VERBOSE)) for tag, known in rules if not tag.endswith(":timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def to_yaml(value: Any, *, unicode: bool = True) -> str:
    """One document for programs. A text that no block can hold, with blanks at a line's end for example, is quoted instead.

    `unicode`: whether characters beyond ASCII stand there as they are, or escaped.
    """
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=120)


def all_to_yaml(values: list[Any], *, unicode: bool = True) -> str:
    """A stream of documents."""
    return "---\n".join(to_yaml(value, unicode=unicode) for value in values)


def from_yaml(text: str) -> list[Any]:
    """The documents of a stream that are not empty. Raises yaml.YAMLError; TwiceError and EndlessError are such."""
    return [document for document in yaml.load_all(text, _Loader) if document is not None]
