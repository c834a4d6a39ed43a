"""What the checks read of a module's source: its imports and its functions, each once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Function:
    """Where it begins, and how long it is, both in lines."""

    name: str
    line: int
    length: int


@dataclass(frozen=True)
class Read:
    """What rules ask of every module, read in one walk."""

    imports: tuple[ast.Import | ast.ImportFrom, ...]
    functions: tuple[Function, ...]


@cache
def tree_of(source: str) -> ast.Module:
    """For what few rules ask of the product's modules: parsed once."""
    return ast.parse(source)


@cache
def read(source: str) -> Read:
    """Without the tree: those of all tests together are large."""
    nodes = list(ast.walk(ast.parse(source)))
    return Read(
        tuple(node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)),
        tuple(
            Function(node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
    )


def module_name(path: Path, source_root: Path) -> str:
    parts = list(path.relative_to(source_root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Full names, those inside functions and behind TYPE_CHECKING too.

    For `from a import b` both a and a.b.
    """
    for node in read(source).imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            base = node.module or ""
            if node.level:
                kept = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*kept, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
