"""The text of the settings' document, which is YAML, as plain data.

Nothing in it costs more than its size.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

from agentjobs.operator.configuration import SettingsError

MAX_BYTES: Final = 1 << 20
"""A ConfigMap cannot hold more."""
MAX_DEPTH: Final = 50
_SIMPLE: Final = frozenset({"bool", "int", "null"})
_FLOAT: Final = "tag:yaml.org,2002:float"


class _Loader(yaml.SafeLoader):
    """Reads YAML as the chart's is written.

    `1e-07` is a number, a date is text, and nothing is said twice or by reference.
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise self._refused("aliases are not supported; write the value out")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._refused(f"the document is nested more than {MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refused(self, problem: str) -> yaml.MarkedYAMLError:
        return yaml.composer.ComposerError(None, None, problem, self.peek_event().start_mark)  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be text", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value} occurs twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, known) for tag, known in rules if tag.rpartition(":")[2] in _SIMPLE]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def document(text: bytes) -> object:
    """Raises SettingsError, with the line where it is wrong."""
    if len(text) > MAX_BYTES:
        raise SettingsError(f"the file has more than {MAX_BYTES} bytes")
    try:
        return yaml.load(text, _Loader)  # noqa: S506  a safe loader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise SettingsError(f"{line}the YAML cannot be read: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        raise SettingsError(f"the text is not allowed in YAML: {error.reason}") from None
    except (ValueError, KeyError, AttributeError) as error:
        # The last two come from tags in front of values that do not fit them.
        raise SettingsError(f"the YAML cannot be read: {error}") from None
