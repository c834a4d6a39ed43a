"""YAML as people write it: fields in their order, texts of several lines as blocks. The same value gives the same text."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    """One document. A text that no block can hold, with blanks at a line's end for example, is quoted instead."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def all_to_yaml(values: list[Any]) -> str:
    """A stream of documents."""
    return "---\n".join(map(to_yaml, values))


def from_yaml(text: str) -> list[Any]:
    """The documents of a stream that are not empty. Raises yaml.YAMLError."""
    return [document for document in yaml.safe_load_all(text) if document is not None]
