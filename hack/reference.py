#!/usr/bin/env python3
"""Writes docs/cli.md from the commands and docs/api.md from the models: `make docs`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer.main
from pydantic import BaseModel

from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.api.resources import RESOURCES, Resource
from agentjobs.cli.errors import Exit
from agentjobs.cli.files import agents, header
from agentjobs.cli.main import app
from hack import pages

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = {"cli": ROOT / "docs" / "cli.md", "api": ROOT / "docs" / "api.md"}
CODES: Final = {
    Exit.OK: "done",
    Exit.NO: (
        "the answer is no: `diff` found differences, `doctor` a problem, `packages check` a"
        " forbidden one, `approve` a denial; or you said no"
    ),
    Exit.USAGE: "a wrong option, or a mistake in a file",
    Exit.CLUSTER: "the API server could not be reached, or did not do it",
    Exit.NOT_FOUND: "there is no such job, run or decision",
    Exit.FORBIDDEN: "RBAC or an admission policy refused it",
    Exit.CHANGED: (
        "the content is not the one that was meant, or the object not the one that was shown: read"
        " it again"
    ),
    Exit.RUN_FAILED: "`run --wait`: the run did not succeed",
    Exit.TIMEOUT: "it took too long, or the output that was followed ended before its run",
}
SHARED: Final = frozenset({"namespace", "context", "kubeconfig", "help"})


def cli() -> str:
    """docs/cli.md"""
    codes = "\n".join(f"| {code.value} | {CODES[code]} |" for code in Exit)
    mapping = (header.__doc__ or "").partition("\n\n")[2].strip()
    commands = "\n".join(_commands(typer.main.get_command(app), ("kubectl", "saj")))
    keys = "\n".join(_keys(ScheduledAgentJobSpec, header.keys()))
    of_agents = {header.kebab(field): f"agent.{field}" for field in agents.OWN}
    own = "\n".join(_keys(ScheduledAgentJobSpec, of_agents))
    return pages.filled("cli", codes=codes, mapping=mapping, keys=keys, own=own, commands=commands)


def _keys(model: type[BaseModel], keys: Mapping[str, str]) -> Iterator[str]:
    schema = model.model_json_schema(by_alias=True)
    for key, path in keys.items():
        field: Mapping[str, Any] = schema
        for step in path.split("."):
            field = _resolved(field, schema["$defs"])["properties"][step]
        yield f"| `{key}` | `{path}` | {_cell(str(field.get('description', '')))} |"


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
            continue
        own = [parameter for parameter in command.params if parameter.name not in SHARED]
        arguments = [_named(parameter) if _is_argument(parameter) else "" for parameter in own]
        yield f"### {' '.join((*path, name))} {' '.join(filter(None, arguments))}".rstrip()
        yield f"\n{' '.join((command.help or '').split())}\n"
        lines = [f"| `{_cell(_written(parameter))}` | {_help(parameter)} |" for parameter in own]
        if lines:
            yield "\n".join(["| | |", "| --- | --- |", *lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _named(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _written(parameter: Any) -> str:
    if _is_argument(parameter):
        return _named(parameter)
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _help(parameter: Any) -> str:
    text = _cell(str(parameter.help or ""))
    default = parameter.default
    value = getattr(default, "value", default)
    shown = (
        isinstance(value, str | int)
        and not isinstance(value, bool)
        and not _is_argument(parameter)
        and value not in ("", None)
    )
    return f"{text} Default: `{value}`." if shown else text


def api() -> str:
    """docs/api.md"""
    return pages.filled("api", kinds="\n".join(map(_kind, RESOURCES)))


def _kind(resource: Resource) -> str:
    names = f"`{resource.plural}`, short `{resource.short}`"
    parts = [f"## {resource.kind}\n\n{names}. {resource.description}\n"]
    for name, model in (("spec", resource.spec), ("status", resource.status)):
        if model is not None:
            schema = model.model_json_schema(by_alias=True)
            rows = "\n".join(_fields(schema, schema.get("$defs", {}), (), f"{name}."))
            description = " ".join(schema.get("description", "").split())
            table = f"| field | type | |\n| --- | --- | --- |\n{rows}\n"
            parts.append(f"### {name}\n\n{description}\n\n{table}")
    return "\n".join(parts)


def _fields(
    schema: Mapping[str, Any], defs: Mapping[str, Any], required: Iterable[str], prefix: str
) -> Iterator[str]:
    required = schema.get("required", required)
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, defs)
        note = " **Required.**" if name in required else _default(field)
        text = _cell(str(field.get("description") or inner.get("description", "")))
        yield f"| `{prefix}{name}` | {_type(inner, defs)} | {text}{note} |"
        if inner.get("type") == "array":
            yield from _fields(
                _resolved(inner.get("items", {}), defs), defs, (), f"{prefix}{name}[]."
            )
        else:
            yield from _fields(inner, defs, (), f"{prefix}{name}.")


def _resolved(field: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Behind references, and without the null that stands for a field that may be left out."""
    for alternative in field.get("anyOf", ()):
        if alternative.get("type") != "null":
            return _resolved(alternative, defs)
    for reference in (field, *field.get("allOf", ())):
        if "$ref" in reference:
            return _resolved(defs[reference["$ref"].rpartition("/")[2]], defs)
    return field


def _type(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if field.get("enum"):
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(_resolved(field.get('items', {}), defs), defs)}"
    return str(field.get("type", "any"))


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    if not isinstance(value, str | int):
        return ""
    return f" Default: `{json.dumps(value) if isinstance(value, bool) else value}`."


def main() -> int:
    """Writes both pages."""
    for name, page in {"cli": cli(), "api": api()}.items():
        PAGES[name].write_text(page)
        print(PAGES[name], file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
