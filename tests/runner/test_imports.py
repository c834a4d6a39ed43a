"""A script that imports what is not there is refused before it starts.

One that plain Python would run never is.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest

from agentjobs_runner.distributions import lacking
from agentjobs_runner.imports import likely_imports
from agentjobs_runner.lookup import certain_imports, found
from tests.runner.container import Host
from tests.support.root import ROOT
from tests.support.slow import slow_but

LOOKUP: Final = ROOT / "runner-image/src/agentjobs_runner/lookup.py"
ADVICE: Final = (
    "add the package with its version to spec.packages, such as NAME==1.2.3, and have it approved"
)
MANY: Final = 200
ASK_FOR_ALL: Final = """\
import json, runpy, sys
missing = runpy.run_path(sys.argv[1])["missing"]
answers = {}
for path in json.load(sys.stdin):
    try:
        answers[path] = list(missing(open(path, "rb").read()))
    except (SyntaxError, ValueError):
        answers[path] = []
print(json.dumps(answers))
"""


def test_a_missing_import_is_told_with_its_line_its_package_and_what_to_do(host: Host) -> None:
    ended = host.run(
        "import sys\nprint('begun')\n\nimport bs4.element as e, sklearn\nfrom not_there.deep import"
        " thing\n"
    )
    envelope = ended.envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason) == (
        "Refused",
        78,
        "MissingImport",
    )
    assert (envelope.stdout, envelope.stderr, envelope.started_at) == ("", "", None)
    assert (
        envelope.message
        == "line 4 imports 'bs4' (package beautifulsoup4), line 4 imports 'sklearn' (package"
        " scikit-learn), line 5 imports 'not_there' (package not-there), which are not"
        f" installed, so the script was not started; {ADVICE}"
    )


def test_of_many_missing_imports_the_first_are_told(host: Host) -> None:
    message = host.run(
        "\n".join(f"import missing{number}" for number in range(40))
    ).envelope.message
    assert message.startswith("line 1 imports 'missing0' (package missing0), line 2 ")
    assert message.endswith(
        "(package missing4) and 35 more, which are not installed, so the script was not started;"
        f" {ADVICE}"
    )


RUNS: Final = {
    "in try": "try:\n    import not_there\nexcept ImportError:\n    pass",
    "in if": "if 0:\n    import not_there",
    "in a function": "def later():\n    import not_there",
    "in a class behind a return of its own": (
        "class Lazy:\n    try:\n        import not_there\n    except ImportError:\n        pass"
    ),
    "in with": "import contextlib\nwith contextlib.suppress(ImportError):\n    import not_there",
    "in a string": "text = '''\nimport not_there\nfrom not_there import x\n'''",
    "in a comment": "x = 1  # as in:\n#import not_there",
    "on a path that the script adds": (
        "import os, sys\nos.makedirs('lib/mine')\nsys.path.insert(0, 'lib')\nimport mine"
    ),
    "by another name of the path": (
        "from sys import path as places\nplaces.append('lib')\nimport"
        " os\nos.makedirs('lib/mine')\nimport mine"
    ),
    "by another name of sys": (
        "import sys as s, os\nos.makedirs('lib/mine')\ns.path += ['lib']\nimport mine"
    ),
    "by site": "import os, site\nos.makedirs('lib/mine')\nsite.addsitedir('lib')\nimport mine",
    "by a function of its own": (
        "import os, sys\ndef prepare():\n    os.makedirs('lib/mine')\n    sys.path.append('lib')\n"
        "prepare()\nimport mine"
    ),
    "put among the modules": (
        "import sys, types\nsys.modules['mine'] = types.ModuleType('mine')\nimport mine"
    ),
    "by an importer of its own": (
        "import sys, types\nfrom importlib.machinery import ModuleSpec\nclass Mine:\n    def"
        " find_spec(self, name, path=None, target=None):\n        return ModuleSpec(name, self) if"
        " name == 'mine' else None\n    def create_module(self, spec):\n        return"
        " types.ModuleType('mine')\n    def exec_module(self, module):\n       "
        " pass\nsys.meta_path.append(Mine())\nimport mine"
    ),
    "written beside the script": (
        "import pathlib\npathlib.Path(__file__).with_name('mine.py').write_text('')\nimport mine"
    ),
    "behind the end": "import sys\nsys.exit(0)\nimport not_there",
    "behind an end by its own function": (
        "def done():\n    raise SystemExit(0)\nfor _ in range(1): exit(0)\nimport not_there"
    ),
    "behind a condition that ends it": (
        "import os\nif 'NOWHERE' not in os.environ:\n    raise SystemExit\nimport not_there"
    ),
    "behind a loop that ends all": "import os\nwhile True:\n    os._exit(0)\nimport not_there",
    "of itself": "import __main__\nimport script",
    "with a BOM": "\ufeffimport os",
    "with its encoding": "# -*- coding: utf-8 -*-\nimport os",
    "with a module of the future": (
        "from __future__ import annotations\nimport os.path, sys; import json"
    ),
    "with a backslash": "import os, \\\n    sys\nfrom os import \\\n    path",
    "with brackets": "from os import (\n    path,\n    sep,\n)",
}

QUICK_RUNS: Final = ("in try", "in a function", "in a string", "by site", "behind the end")


@pytest.mark.parametrize("script", slow_but(QUICK_RUNS, RUNS))
def test_an_import_is_left_to_python(host: Host, script: str) -> None:
    envelope = host.run(script).envelope
    assert (envelope.exit_code, envelope.stderr) == (0, "")


REFUSED: Final = {
    "behind a semicolon": "x = 1; import not_there",
    "with a backslash": "import os, \\\n    not_there",
    "behind what is harmless": (
        "import logging, os\nlogging.basicConfig(level=20)\nLIMIT: int = len('x')\n"
        "for n in range(3):\n    print(n)\nname = os.path.join('a', 'b')\nimport not_there"
    ),
    "behind a function": "def work(numbers):\n    return sum(numbers)\nimport not_there",
    "behind an import that is tried": (
        "try:\n    import json5 as json\nexcept ImportError:\n    import json\nimport not_there"
    ),
    "with a tab": "import\tnot_there",
    "in a script with a BOM": "\ufeffimport not_there",
}


@pytest.mark.parametrize("script", slow_but(("behind a semicolon", "behind a function"), REFUSED))
def test_an_import_that_certainly_fails_is_found(host: Host, script: str) -> None:
    envelope = host.run(script).envelope
    assert (envelope.reason, envelope.exit_code, envelope.stdout) == ("MissingImport", 78, "")
    assert "'not_there'" in envelope.message


def test_packages_on_pythonpath_are_found(host: Host) -> None:
    script = "import mine\nprint(mine.__name__)"
    root = host.folder(script)
    (root / "packages").mkdir()
    (root / "packages/mine.py").touch()
    assert host.run(script, root, PYTHONPATH=str(root / "packages")).envelope.stdout == "mine\n"


@pytest.mark.slow
def test_a_silent_interpreter_delays_a_script_and_does_not_refuse_it(host: Host) -> None:
    """The same sitecustomize would hold up the script; this one tells the two apart."""
    script = "import not_there"
    root = host.folder(script)
    (root / "packages").mkdir()
    (root / "packages/sitecustomize.py").write_text(
        "import sys, time\nif 'lookup.py' in sys.orig_argv[1]: time.sleep(600)\n"
    )
    envelope = host.run(script, root, PYTHONPATH=str(root / "packages")).envelope
    assert (envelope.outcome, envelope.exit_code) == ("Exited", 1)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "def f():\n    import bs4\nf()",
            f"'bs4' (package beautifulsoup4), which is not installed; {ADVICE}",
        ),
        (
            "if 1:\n    import google.cloud.storage",
            f"'google' (package google-auth), which is not installed; {ADVICE}",
        ),
        (
            "import json.deep",
            (
                "'json.deep' (json has no such module), which is not installed; correct the name,"
                " or use a version of json that has it"
            ),
        ),
    ],
)
def test_a_late_import_failure_gets_the_same_advice_and_keeps_its_output(
    host: Host, script: str, told: str
) -> None:
    ended = host.run(f"print('begun')\n{script}")
    envelope = ended.envelope
    assert (envelope.outcome, envelope.exit_code, envelope.reason, envelope.stdout) == (
        "Exited",
        1,
        "ScriptFailed",
        "begun\n",
    )
    assert envelope.message.startswith("the script exited with code 1: it imported ")
    assert told in envelope.message
    assert envelope.stderr.startswith("Traceback (most recent call last):\n")
    assert envelope.stderr.encode() == ended.stderr


def test_a_script_that_only_talks_of_a_missing_module_has_failed_by_itself(host: Host) -> None:
    script = (
        "import sys\nprint(\"ModuleNotFoundError: No module named 'x'\","
        " file=sys.stderr)\nprint('done', file=sys.stderr)\nsys.exit(1)"
    )
    assert host.run(script).envelope.message == "the script exited with code 1"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "print('begun')\nprint 'hello'",
            (
                "line 2 of the script is not valid Python, so none of it ran: Missing"
                " parentheses in call"
            ),
        ),
        (
            "if True:\nprint(1)",
            (
                "line 2 of the script is not valid Python, so none of it ran: expected an"
                " indented block"
            ),
        ),
        (
            "import os\nreturn 1",
            (
                "line 2 of the script is not valid Python, so none of it ran: 'return' outside"
                " function"
            ),
        ),
        (
            "x = (1,",
            "line 1 of the script is not valid Python, so none of it ran: '(' was never closed",
        ),
    ],
)
def test_a_script_that_is_no_python_is_told_so_with_pythons_own_words_kept(
    host: Host, script: str, told: str
) -> None:
    envelope = host.run(script).envelope
    assert (envelope.exit_code, envelope.reason, envelope.stdout) == (1, "SyntaxError", "")
    assert envelope.message.startswith(told)
    assert envelope.stderr.startswith('  File "')


def test_a_syntax_error_in_another_file_is_the_scripts_own_failure(host: Host) -> None:
    envelope = host.run("exec('print 1')").envelope
    assert (envelope.reason, envelope.message) == ("ScriptFailed", "the script exited with code 1")


def test_a_module_that_this_python_lacks_has_no_package_to_look_for() -> None:
    assert lacking("tkinter") == (
        "part of Python, but not of this image",
        "write the script without it",
    )


def python_files() -> list[Path]:
    """The standard library and what is installed here."""
    folders = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    found = [(folder, path) for folder in folders for path in folder.rglob("*.py")]
    return sorted(
        path for folder, path in found if "site-packages" not in path.relative_to(folder).parts
    )


def is_doubtful(path: Path) -> bool:
    """Whether the quick look does not settle it: only such a script can be refused."""
    names = likely_imports(path.read_bytes())
    return names is None or not all(map(found, names))


@pytest.fixture(scope="module")
def real_scripts() -> list[Path]:
    """Evenly spread over all that are doubtful."""
    doubtful = [path for path in python_files()[::3] if is_doubtful(path)]
    assert len(doubtful) >= MANY
    return doubtful[:: len(doubtful) // MANY][:MANY]


@pytest.mark.slow
def test_a_real_script_is_refused_only_where_python_fails_at_that_import(
    tmp_path: Path, real_scripts: list[Path]
) -> None:
    copies = {}
    for number, path in enumerate(real_scripts):
        copies[str(tmp_path / f"s{number}.py")] = path
        (tmp_path / f"s{number}.py").write_bytes(path.read_bytes())
    asked = subprocess.run(
        [sys.executable, "-c", ASK_FOR_ALL, str(LOOKUP)],
        input=json.dumps(list(copies)),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(asked.stdout)
    refused = {path: missing for path, missing in answers.items() if missing}
    for path, [(line, name), *_] in refused.items():
        ran = subprocess.run(
            [sys.executable, path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert f"line {line}, in <module>" in ran.stderr, copies[path]
        assert f"No module named '{name}" in ran.stderr, copies[path]
    assert (len(answers), bool(refused)) == (MANY, True)


@pytest.mark.slow
def test_no_import_that_counts_is_overlooked_by_the_quick_look(real_scripts: list[Path]) -> None:
    for path in real_scripts:
        source = path.read_bytes()
        try:
            certain = {name for _, name in certain_imports(ast.parse(source).body)}
        except (SyntaxError, ValueError):
            continue
        likely = likely_imports(source)
        assert likely is None or certain <= likely, path
