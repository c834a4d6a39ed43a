"""What those who install the package get: the command line, light, and nothing for the tests."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.root import ROOT

SOURCES = ROOT / "operator/src"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPERATORS = {
    "aiohttp": "aiohttp",
    "jsonschema": "jsonschema",
    "kopf": "kopf",
    "kubernetes": "kubernetes",
    "prometheus-client": "prometheus_client",
    "python-json-logger": "pythonjsonlogger",
}
"""The extra `operator`, and what is imported of each package."""
WEB = {
    "aiohttp": "aiohttp",
    "jinja2": "jinja2",
    "jsonschema": "jsonschema",
    "python-multipart": "python_multipart",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
}
"""The extra `web`, and what is imported of each package; Starlette imports the one for forms."""
IMPORTED = {
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
    "rfc8785": "rfc8785",
    "typer": "typer",
    "yaml": "pyyaml",
}
"""What the command line imports, and the package that brings it."""
WITHOUT = """
import importlib, sys
blocked, modules = (words.split(",") for words in sys.argv[1:])
sys.modules.update(dict.fromkeys(blocked))  # an import of None fails
for module in modules:
    importlib.import_module(module)
print(importlib.import_module("agentjobs").__file__, len(modules))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The wheel's files: path and text."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(folder),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[<>=]", requirement)[0] for requirement in requirements}


def file_of(module: str) -> Path | None:
    path = SOURCES / module.replace(".", "/")
    return next(
        (file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None
    )


def imports(file: Path) -> set[str]:
    """Everything that it imports, wherever in it, and each name that could be a module."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    whole = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    parts = {
        f"{node.module}.{name.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    return whole | parts


def reached(module: str, apart: str = "-") -> tuple[set[str], set[str]]:
    """Our modules below this one with all that they import, and the other packages among that.

    Imports inside functions count. `apart`: a package of ours that is not followed.
    """
    ours: set[str] = set()
    others: set[str] = set()
    below = (SOURCES / module.replace(".", "/")).rglob("*.py")
    todo = [
        ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")
        for path in below
    ]
    while todo:
        name = todo.pop()
        file = file_of(name)
        if name in ours or file is None or name.startswith(apart):
            continue
        ours.add(name)
        found = imports(file)
        others |= (
            {each.partition(".")[0] for each in found} - sys.stdlib_module_names - {"agentjobs"}
        )
        mine = [each.split(".") for each in found if each.startswith("agentjobs.")]
        todo += [".".join(words[:count]) for words in mine for count in range(1, len(words) + 1)]
    return ours, others


def test_type_checkers_of_those_who_import_it_read_its_types(files: dict[str, str]) -> None:
    assert files["agentjobs/py.typed"] == ""


def test_the_wheel_has_every_module_but_those_for_tests(files: dict[str, str]) -> None:
    written = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py")}
    for_tests = {name for name in written if name.startswith("agentjobs/testing/")}
    assert {name for name in files if name.endswith(".py")} == written - for_tests
    assert for_tests


def test_an_installation_brings_no_more_than_the_command_line_imports(
    files: dict[str, str],
) -> None:
    (metadata,) = (text for name, text in files.items() if name.endswith(".dist-info/METADATA"))
    required = re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)
    assert names(each for each in required if "extra ==" not in each) == names(
        PROJECT["dependencies"]
    )
    imported = reached("agentjobs.cli", apart="agentjobs.console")[1]
    assert {IMPORTED[name] for name in imported} == names(PROJECT["dependencies"]) - {"tzdata"}
    assert names(PROJECT["optional-dependencies"]["operator"]) == OPERATORS.keys()
    assert names(PROJECT["optional-dependencies"]["web"]) == WEB.keys()


@pytest.mark.slow
def test_the_command_line_needs_no_library_of_an_extra() -> None:
    modules = reached("agentjobs.cli", apart="agentjobs.console")[0]
    extras = {*OPERATORS.values(), *WEB.values()}
    words = [",".join(sorted(extras)), ",".join(sorted(modules))]
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout == f"{SOURCES / 'agentjobs/__init__.py'} {len(modules)}\n", ran.stderr


@pytest.mark.slow
def test_with_its_extras_the_package_brings_all_that_it_imports() -> None:
    imported = reached("agentjobs")[1]
    brought = {*OPERATORS.values(), *WEB.values(), *IMPORTED, "markupsafe"}
    assert imported == brought - {"python_multipart"}


def test_the_console_needs_no_more_than_its_extra() -> None:
    imported = reached("agentjobs.console")[1] - IMPORTED.keys()
    assert imported == {*WEB.values(), "markupsafe"} - {"python_multipart"}


def test_the_operators_image_has_what_the_extra_names() -> None:
    pinned = set(
        re.findall(
            r"^([a-z0-9-]+)==", (ROOT / "requirements/runtime.txt").read_text(), re.MULTILINE
        )
    )
    assert OPERATORS.keys() <= pinned
    assert "typer" not in pinned
