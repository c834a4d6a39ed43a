"""The layers, the rooms in them, and what each may know.

The layers are:
`__main__ -> operator | cli -> console -> actions -> cluster | telemetry | present -> core -> api`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import reading, rules
from tests.support.root import ROOT

OPERATOR = ROOT / "operator" / "src"
RUNNER = ROOT / "runner-image" / "src"
Check = Callable[[str, str], list[str]]


def violations(check: Check, source_root: Path) -> list[str]:
    files = sorted(source_root.rglob("*.py"))
    assert files, f"no modules below {source_root}"
    return [
        line
        for path in files
        for line in check(reading.module_name(path, source_root), path.read_text())
    ]


@pytest.mark.parametrize(
    "check",
    [
        rules.layer_violations,
        rules.room_violations,
        rules.library_violations,
        rules.purity_violations,
        rules.environment_violations,
        rules.screen_violations,
    ],
    ids=lambda check: check.__name__,
)
def test_operator_keeps_its_layers(check: Check) -> None:
    assert violations(check, OPERATOR) == []


def test_a_folder_of_core_can_be_taken_in_at_a_glance() -> None:
    core = OPERATOR / "agentjobs" / "core"
    folders = [
        core,
        *(path for path in core.iterdir() if path.is_dir() and path.name != "__pycache__"),
    ]
    files = {
        folder.name: len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in folders
    }
    assert len(files) > 1
    assert {name: count for name, count in files.items() if count > rules.MAX_FILES} == {}


def test_every_module_of_core_is_tested_under_its_name() -> None:
    modules = [path for path in (OPERATOR / "agentjobs/core").rglob("*.py") if path.stem[0] != "_"]
    assert len(modules) > 50
    assert [line for path in modules for line in untested(path)] == []


def untested(path: Path) -> list[str]:
    """What is missing of the test of a module: its file, or an import of the module."""
    folder = ROOT / "tests" / path.parent.relative_to(OPERATOR / "agentjobs")
    test, module = folder / f"test_{path.name}", reading.module_name(path, OPERATOR)
    if not test.exists():
        return [f"{module}: there is no {test.relative_to(ROOT)}"]
    imported = reading.imports(test.read_text(), reading.module_name(test, ROOT))
    return [] if module in imported else [f"{test.relative_to(ROOT)}: does not import {module}"]


def test_a_folder_of_tests_can_be_taken_in_at_a_glance() -> None:
    files = Counter(path.parent for path in (ROOT / "tests").rglob("*.py"))
    assert len(files) > 20
    assert {
        str(folder.relative_to(ROOT)): count
        for folder, count in files.items()
        if count > rules.MAX_TEST_FILES
    } == {}


def test_the_map_of_core_names_every_room() -> None:
    text = (OPERATOR / "agentjobs" / "core" / "__init__.py").read_text()
    assert [room for rooms in rules.CORE for room in rooms if f"`{room}`" not in text] == []


def test_runner_needs_nothing_but_the_standard_library() -> None:
    assert violations(rules.runner_violations, RUNNER) == []


def test_no_test_leans_on_another_one() -> None:
    assert violations(rules.neighbour_violations, ROOT / "tests") == []


def test_only_the_tests_of_a_tool_import_it() -> None:
    assert violations(rules.tool_violations, ROOT / "tests") == []


def test_every_test_of_a_tool_is_there() -> None:
    names = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert rules.TESTS_OF_TOOLS.keys() - names == set()


def test_a_tests_name_can_be_read_at_once() -> None:
    assert violations(rules.name_violations, ROOT / "tests") == []


def test_what_make_works_with_needs_no_tests() -> None:
    assert violations(rules.foundation_violations, ROOT / "hack") == []
    assert violations(rules.foundation_violations, OPERATOR) == []


@pytest.mark.parametrize("folder", ["operator", "runner-image", "tests", "hack", "examples"])
def test_functions_and_modules_stay_readable(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert [
        line
        for path in files
        for line in rules.size_violations(str(path.relative_to(ROOT)), path.read_text())
    ] == []


def test_no_module_shadows_the_standard_librarys_operator() -> None:
    assert list((ROOT / "operator").glob("*.py")) == []
    assert list((ROOT / "tests").rglob("__init__.py")) == [], "tests/operator is no package"


REFUSED = [
    (rules.layer_violations, "agentjobs.core.plan", "from agentjobs.cluster import client"),
    (rules.layer_violations, "agentjobs.core.plan", "from agentjobs import cluster"),
    (
        rules.layer_violations,
        "agentjobs.api.job",
        "def late():\n    import agentjobs.core.approval",
    ),
    (
        rules.layer_violations,
        "agentjobs.cli.kube",
        "from agentjobs.operator.reconcile import Reconciler",
    ),
    (rules.layer_violations, "agentjobs.operator.watch", "from agentjobs.cli import approve"),
    (
        rules.layer_violations,
        "agentjobs.cluster.client",
        "from ..operator.reconcile import Reconciler",
    ),
    (rules.layer_violations, "agentjobs.operator.watch", "from agentjobs.testing import builders"),
    (
        rules.room_violations,
        "agentjobs.operator.collect",
        "from agentjobs.operator.reconcile import Reconciler",
    ),
    (rules.layer_violations, "agentjobs.brandnew", ""),
    (rules.room_violations, "agentjobs.core.plan", "from agentjobs.core import decide"),
    (
        rules.room_violations,
        "agentjobs.core.runs.cases",
        "from agentjobs.core.status.conditions import STALLED",
    ),
    (
        rules.room_violations,
        "agentjobs.core.approval.card",
        "def late():\n    from agentjobs.core.runs import cases",
    ),
    (rules.room_violations, "agentjobs.core.gone", "import agentjobs.core.decide"),
    (rules.room_violations, "agentjobs.core.brandnew", ""),
    (rules.library_violations, "agentjobs.operator.reconcile", "from kubernetes.aio import client"),
    (rules.library_violations, "agentjobs.cluster.client", "import kopf"),
    (rules.library_violations, "agentjobs.operator.controller", "import kopf"),
    (rules.library_violations, "agentjobs.core.plan", "if TYPE_CHECKING:\n    import kopf"),
    (rules.purity_violations, "agentjobs.core.plan", "import logging"),
    (rules.purity_violations, "agentjobs.core.plan", "from os.path import join"),
    (rules.purity_violations, "agentjobs.core.naming", "from uuid import uuid4"),
    (rules.purity_violations, "agentjobs.api.kinds", "from urllib.request import urlopen"),
    (
        rules.purity_violations,
        "agentjobs.core.schedules.cron",
        "from datetime import datetime\nnow = datetime.now()",
    ),
    (
        rules.purity_violations,
        "agentjobs.core.schedules.cron",
        "import datetime as d\nd.date.today()",
    ),
    (rules.purity_violations, "agentjobs.api.job", "open('x')"),
    (rules.purity_violations, "agentjobs.operator.configuration", "import os"),
    (
        rules.environment_violations,
        "agentjobs.operator.configuration",
        "import os\nos.environ['A']",
    ),
    (rules.environment_violations, "agentjobs.cli.approve", "from os import getenv"),
    (rules.screen_violations, "agentjobs.cli.cards", "print(1)"),
    (rules.screen_violations, "agentjobs.cli.cards", "import sys\nsys.stdout.write('x')"),
    (rules.screen_violations, "agentjobs.cli.cards", "say = print"),
    (rules.screen_violations, "agentjobs.cli.cards", "import typer\ntyper.echo('x')"),
    (rules.screen_violations, "agentjobs.cli.cards", "import rich"),
    (
        rules.screen_violations,
        "agentjobs.present.rows",
        "from agentjobs.present import text\ntext.Line('x')",
    ),
    (rules.layer_violations, "agentjobs.present.rows", "from agentjobs.cli import screen"),
    (rules.layer_violations, "agentjobs.present.rows", "from agentjobs.actions import runs"),
    (rules.layer_violations, "agentjobs.core.plan", "from agentjobs.actions import runs"),
    (rules.layer_violations, "agentjobs.actions.runs", "from agentjobs.cli.kube import Kube"),
    (
        rules.purity_violations,
        "agentjobs.actions.runs",
        "from agentjobs.cluster import client\nimport time",
    ),
    (rules.purity_violations, "agentjobs.present.rows", "import sys"),
    (
        rules.screen_violations,
        "agentjobs.cli.cards",
        "from agentjobs.cli import text\ntext.Line('x')",
    ),
    (rules.runner_violations, "agentjobs_runner.main", "import requests"),
    (rules.runner_violations, "agentjobs_runner.main", "from agentjobs.core import envelope"),
    (rules.neighbour_violations, "api.test_a", "from tests.api.test_b import x"),
    (rules.tool_violations, "cluster.audit", "from hack.choice import LOCAL_CLUSTER"),
    (rules.tool_violations, "hack.test_images", "def late():\n    from hack import crdgen"),
    (rules.tool_violations, "api.test_a", "import hack.benchmark.spread as spread"),
    (rules.foundation_violations, "hack.bench", "def late():\n    from tests import manifests"),
    (rules.name_violations, "api.test_a", f"def {'t' * 71}():\n    pass"),
    (rules.size_violations, "hack/a.py", "\n" * 401),
    (rules.size_violations, "a.py", "def f():\n" + "    pass\n" * 60),
]


@pytest.mark.parametrize(("check", "module", "source"), REFUSED)
def test_a_breach_is_found(check: Check, module: str, source: str) -> None:
    assert len(check(module, source)) == 1


ALLOWED = [
    (
        rules.layer_violations,
        "agentjobs.operator.watch",
        "from agentjobs.core import plan\nfrom agentjobs.operator.caches import cache",
    ),
    (
        rules.layer_violations,
        "agentjobs.core.plan",
        "from . import naming\nfrom ..api.schedule import Schedule",
    ),
    (
        rules.room_violations,
        "agentjobs.core.runs.cases",
        "from agentjobs.core.runs import stops\nfrom agentjobs.core.plan import Write",
    ),
    (rules.room_violations, "agentjobs.cluster.client", "from agentjobs.core import decide"),
    (
        rules.layer_violations,
        "agentjobs.actions.runs",
        "from agentjobs.core.plan import Write\nfrom agentjobs.present import rows",
    ),
    (
        rules.layer_violations,
        "agentjobs.__main__",
        "from agentjobs import __version__, operator, telemetry",
    ),
    (rules.layer_violations, "agentjobs.testing.builders", "from agentjobs import cluster"),
    (rules.library_violations, "agentjobs.cluster.connection", "import kubernetes.aio"),
    (
        rules.purity_violations,
        "agentjobs.core.plan",
        "def decide(observed, now):\n    return observed.now",
    ),
    (
        rules.purity_violations,
        "agentjobs.operator.reconcile",
        "import logging, time\ntime.monotonic()",
    ),
    (rules.purity_violations, "agentjobs.api.kinds", "from urllib.parse import quote"),
    (rules.environment_violations, "agentjobs.__main__", "import os\nos.environ"),
    (rules.neighbour_violations, "api.test_a", "from tests.support.decisions import observed"),
    (rules.tool_violations, "hack.test_images", "from hack import images"),
    (rules.tool_violations, "hack.test_bench", "from hack.benchmark.spread import Aim, Figure"),
    (rules.screen_violations, "agentjobs.cli.screen", "print(1)"),
    (
        rules.screen_violations,
        "agentjobs.cli.cards",
        "from agentjobs.cli import screen\nscreen.say('x')",
    ),
    (
        rules.runner_violations,
        "agentjobs_runner.main",
        "import os\nfrom agentjobs_runner import envelope",
    ),
    (rules.size_violations, "a.py", "def f():\n" + "    pass\n" * 59),
    (rules.size_violations, "tests/a.py", "\n" * 400),
]


@pytest.mark.parametrize(("check", "module", "source"), ALLOWED)
def test_what_the_layers_allow_is_not_a_breach(check: Check, module: str, source: str) -> None:
    assert check(module, source) == []
