"""What the layers may know, as data, and the checks: source text in, sentences out."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from tests.architecture.reading import imports, read, tree_of

PACKAGE = "agentjobs"
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"api"}),
    frozenset({"core"}),
    frozenset({"cluster", "telemetry", "present"}),
    frozenset({"actions"}),
    frozenset({"console"}),
    frozenset({"operator", "cli"}),
    frozenset({"__main__"}),
)
"""Lowest first.

A part may import from lower layers and from itself, not from a neighbour in its own layer."""
CORE: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            {"errors", "timestamps"},
            {"wire"},
            {"admission", "runner"},
            {"content"},
            {"views"},
            {"naming", "plan"},
            {"observed", "refusals"},
            {"triggers"},
            {"workload"},
            {"schedules"},
            {"approval"},
            {"runs"},
            {"status"},
            {"gone", "doubts"},
            {"decide"},
        ),
    )
)
"""The rooms of core, lowest first, as the map in its `__init__` has them."""
MAX_FILES = 10
"""In one folder of core, its `__init__` aside."""
MAX_TEST_FILES = 15
"""In one folder of tests."""
TESTING = "testing"
"""For tests and for what developers run: may import everything, and nothing of the product imports
it."""

ROOMS: dict[str, tuple[frozenset[str], ...]] = {
    "core": CORE,
    "operator": (
        frozenset({"configuration", "caches", "collect", "admission", "lease", "session"}),
        frozenset({"config_text", "execute", "frozen", "workqueue", "watch", "probes"}),
        frozenset({"gather"}),
        frozenset({"reconcile"}),
        frozenset({"controller"}),
        frozenset({"process"}),
    ),
}
"""Of the parts that have an order inside, too. As with LAYERS."""
PURE = frozenset(
    {
        "agentjobs.api",
        "agentjobs.core",
        "agentjobs.present",
        "agentjobs.actions",
        "agentjobs.operator.configuration",
    }
)
PURE_IMPORTS = frozenset(
    "__future__ abc array base64 binascii bisect calendar collections contextlib copy dataclasses"
    " datetime decimal difflib enum fractions functools hashlib heapq itertools json math numbers"
    " operator re string struct textwrap types typing unicodedata zlib zoneinfo jsonschema pydantic"
    " pydantic_core rfc8785 typing_extensions urllib.parse".split()
)
"""A list of what is allowed: a new library has to be argued for here.

No clock, network, client, logging, process or file. Of a library that has some of these, one module
can be named."""
IMPURE_METHODS = frozenset({"now", "utcnow", "today"})
"""Called on datetime and date they read the clock."""
IMPURE_FUNCTIONS = frozenset({"open", "print", "input", "eval", "exec", "compile", "__import__"})

RESERVED: dict[str, frozenset[str]] = {
    "kubernetes": frozenset(
        {
            "agentjobs.cluster.connection",
            "agentjobs.operator.lease",
            "agentjobs.testing.real_cluster",
        }
    ),
    "starlette": frozenset({"agentjobs.console"}),
    "jinja2": frozenset({"agentjobs.console.render"}),
    "uvicorn": frozenset({"agentjobs.console.serve"}),
    "kopf": frozenset(
        {"agentjobs.operator.watch", "agentjobs.operator.session", "agentjobs.operator.process"}
    ),
}
"""Library -> the only modules and packages that import it."""
ENVIRONMENT_READERS = frozenset({"__main__"})

SCREEN = frozenset({"agentjobs.cli.screen", "agentjobs.cli.text", "agentjobs.present.text"})
PRINTING = frozenset(
    "print input breakpoint os.write os.system sys.stdout sys.stderr sys.__stdout__ sys.__stderr__"
    " sys.displayhook".split()
)
PRINTERS = frozenset({"rich", "click", "curses", "logging", "warnings"})
PRINTING_PARTS = (
    "typer.echo",
    "typer.secho",
    "typer.style",
    "typer.prompt",
    "typer.confirm",
    "typer.progressbar",
    "typer.launch",
)

TESTS_OF_TOOLS: dict[str, frozenset[str]] = {
    "test_bench": frozenset({"hack.benchmark"}),
    "test_reference": frozenset({"hack.reference", "hack.values"}),
    "test_choice": frozenset({"hack.choice", "hack.cluster"}),
    "test_covered": frozenset({"hack.covered"}),
    "test_crds": frozenset({"hack.crdgen"}),
    "test_demo": frozenset({"hack.demo"}),
    "test_images": frozenset({"hack.images"}),
    "test_inventory": frozenset({"hack.images", "hack.inventory"}),
    "test_values": frozenset({"hack.values"}),
}
"""Name of a test's module -> what it tests of `hack`, and may import."""

MAX_FUNCTION_LINES = 60
MAX_NAME = 70
MAX_MODULE_LINES = 400


def part_of(module: str) -> str:
    """`agentjobs.core.plan` is in the part `core`; the package itself is the empty part."""
    return module.split(".")[1] if "." in module else ""


def imported_parts(source: str, module: str) -> set[str]:
    return {part_of(name) for name in imports(source, module) if name.split(".")[0] == PACKAGE} - {
        ""
    }


def imported_libraries(source: str, module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(source, module)} - {PACKAGE}


def level(part: str) -> int | None:
    return next((index for index, parts in enumerate(LAYERS) if part in parts), None)


def layer_violations(module: str, source: str) -> list[str]:
    part = part_of(module)
    if part in ("", TESTING):
        return []
    own = level(part)
    if own is None:
        return [f"{module}: no layer is named for {part!r}; say in LAYERS where it belongs"]
    below = {name for parts in LAYERS[:own] for name in parts}
    wrong = sorted(
        name for name in imported_parts(source, module) if name not in below | {part, "__version__"}
    )
    return [f"{module}: {part} must not import {name}" for name in wrong]


def room_of(module: str) -> str:
    """`agentjobs.core.runs.cases` is in the room `runs`.

    A part itself, and what has no rooms, is in none.
    """
    parts = module.split(".")
    return parts[2] if parts[0] == PACKAGE and len(parts) > 2 and parts[1] in ROOMS else ""


def room_violations(module: str, source: str, is_package: bool = False) -> list[str]:
    room, part = room_of(module), part_of(module)
    if not room:
        return []
    order = ROOMS[part]
    own = next((index for index, rooms in enumerate(order) if room in rooms), None)
    if own is None:
        return [f"{module}: no place is named for {room!r}; say in ROOMS where it belongs"]
    below = {name for rooms in order[:own] for name in rooms}
    known = {name for rooms in order for name in rooms}
    found = {
        room_of(name) for name in imports(source, module, is_package) if part_of(name) == part
    } & known
    return [f"{module}: {room} must not import {name}" for name in sorted(found - below - {room})]


def is_in(module: str, places: Iterable[str]) -> bool:
    """Whether it is one of these modules, or in one of these packages."""
    return any(f"{module}.".startswith(f"{place}.") for place in places)


def library_violations(module: str, source: str) -> list[str]:
    found = imported_libraries(source, module)
    return [
        f"{module}: only {' and '.join(sorted(places))} may import {library}"
        for library, places in RESERVED.items()
        if library in found and not is_in(module, places)
    ]


def purity_violations(module: str, source: str) -> list[str]:
    if not is_in(module, PURE):
        return []
    tree = tree_of(source)
    allowed = {PACKAGE, *PURE_IMPORTS}
    unknown = sorted(
        {
            name.split(".")[0]
            for name in imports(source, module)
            if not allowed & {name.split(".")[0], ".".join(name.split(".")[:2])}
        }
    )
    wrong = [f"{module}: {name} is not on the list of pure libraries" for name in unknown]
    return wrong + [
        f"{module}:{line}: {call}() has an effect or reads the world"
        for line, call in impure_calls(tree)
    ]


def impure_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr in IMPURE_METHODS:
                yield node.lineno, function.attr
            elif isinstance(function, ast.Name) and function.id in IMPURE_FUNCTIONS:
                yield node.lineno, function.id


def environment_violations(module: str, source: str) -> list[str]:
    if part_of(module) in ENVIRONMENT_READERS:
        return []
    names = {"environ", "environb", "getenv", "getenvb"}
    lines = [
        node.lineno
        for node in ast.walk(tree_of(source))
        if (isinstance(node, ast.Attribute) and node.attr in names)
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and names & {alias.name for alias in node.names}
        )
    ]
    return [f"{module}:{line}: the environment is read by __main__.py only" for line in lines]


def screen_violations(module: str, source: str) -> list[str]:
    """The command line prints through `cli.screen` alone.

    Only `present.text` and `cli.text` make a `Line`: see there.
    """
    if part_of(module) not in ("cli", "present") or module in SCREEN:
        return []
    tree = tree_of(source)
    used = [
        (node.lineno, _dotted(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    ]
    found = [
        (line, name) for line, name in used if name in PRINTING or name.startswith(PRINTING_PARTS)
    ]
    calls = [
        (node.lineno, _dotted(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call)
    ]
    found += [(line, "Line()") for line, name in calls if name.split(".")[-1] == "Line"]
    found += [
        (1, f"import {name}") for name in sorted(imported_libraries(source, module) & PRINTERS)
    ]
    return [
        f"{module}:{line}: {name}: only cli.screen prints, and only present.text and cli.text make"
        " a Line"
        for line, name in found
    ]


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def foundation_violations(module: str, source: str) -> list[str]:
    """What developers run needs no tests: not the product, and not what `make` works with."""
    return [
        f"{module}: must not import tests"
        for name in imports(source, module)
        if name.split(".")[0] == "tests"
    ][:1]


def neighbour_violations(module: str, source: str) -> list[str]:
    """What several tests need is in `tests/support`, or in a module that is not a test.

    Anyone who changes a test changes that test.
    """
    found = {name for name in imports(source, module) if name.startswith("tests.")}
    tests = {part for name in found for part in name.split(".")[1:] if part.startswith("test_")}
    return [f"{module}: must not import from {name}" for name in sorted(tests)]


def tool_violations(module: str, source: str) -> list[str]:
    """Only the tests of a program of `hack` import it. What both need is in `agentjobs.testing`."""
    tested = TESTS_OF_TOOLS.get(module.rpartition(".")[2], frozenset())
    found = {name for name in imports(source, module) if is_in(name, ("hack",))}
    return [
        f"{module}: must not import {name}: it does not test that"
        for name in sorted(found - {"hack"})
        if not is_in(name, tested)
    ][:1]


def runner_violations(module: str, source: str) -> list[str]:
    """Also not from each other: they are programs of their own that meet in files and variables."""
    allowed = sys.stdlib_module_names | {module.split(".", maxsplit=1)[0]}
    found = {name.split(".")[0] for name in imports(source, module)}
    return [f"{module}: {name} is not in the standard library" for name in sorted(found - allowed)]


def size_violations(path: str, source: str) -> list[str]:
    lines = len(source.splitlines())
    too_long = f"{path}: {lines} lines, at most {MAX_MODULE_LINES}: split it by what it knows"
    return [too_long] * (lines > MAX_MODULE_LINES) + [
        f"{path}:{each.line}: {each.name} has {each.length} lines, at most {MAX_FUNCTION_LINES}"
        for each in read(source).functions
        if each.length > MAX_FUNCTION_LINES
    ]


def name_violations(path: str, source: str) -> list[str]:
    return [
        f"{path}:{each.line}: {each.name} has {len(each.name)} characters, at most {MAX_NAME}"
        for each in read(source).functions
        if len(each.name) > MAX_NAME
    ]
