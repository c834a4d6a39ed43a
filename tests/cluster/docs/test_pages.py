"""The commands of README.md and docs/*.md work as they stand, and print what the pages say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from tests.cluster.installed import Installed
from tests.cluster.support import new_namespace
from tests.support.pages import NEXT, Block, blocks, shown_as, squeezed, with_commands
from tests.support.root import ROOT

SIDE_BY_SIDE = 4
SECONDS = 240
PAGES = {page.name: page for page in with_commands()}
ALONE = frozenset({"operate.md", "install.md"})
"""They change the installation that the others use."""


def environment(agentjobs: Installed, namespace: str, folder: Path) -> dict[str, str]:
    """A shell's after `eval "$(make env)"`, in which commands without a namespace mean this one."""
    config = folder / ".kubeconfig"
    config.write_text(agentjobs.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    tools = [
        Path(sys.executable).parent,
        Path(agentjobs.kubectl.cluster.kubectl).parent,
        Path(agentjobs.helm).parent,
    ]
    found = {
        **os.environ,
        "KUBECONFIG": str(config),
        "PATH": ":".join([*map(str, tools), os.environ["PATH"]]),
    }
    subprocess.run(
        ["kubectl", "config", "set-context", "--current", f"--namespace={namespace}"],
        env=found,
        check=True,
        capture_output=True,
    )
    return found


def run(page: Path, agentjobs: Installed, folder: Path) -> None:
    """One shell for the whole page, in its own namespace, next to copies of what a checkout has."""
    steps = [block for block in blocks(page.read_text()) if not block.elsewhere]
    folder.mkdir()
    for part in ("examples", "charts"):
        shutil.copytree(ROOT / part, folder / part)
    with new_namespace(agentjobs.kubectl) as namespace:
        script = f"\necho '{NEXT}'\n".join(step.script for step in steps)
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            env=environment(agentjobs, namespace, folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            printed, said = shell.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            shell.kill()
            printed, said = shell.communicate()
            said += f"not finished within {SECONDS} s"
    outputs = printed.split(f"{NEXT}\n")
    for step, output in zip(steps, outputs, strict=False):
        _compare(page, step, output, said if output is outputs[-1] and shell.returncode else "")
    assert shell.returncode == 0, (
        f"{page.name}: {steps[len(outputs) - 1].commands}\nexited with {shell.returncode}: {said}"
    )
    assert len(outputs) == len(steps)


def _compare(page: Path, step: Block, output: str, said: str) -> None:
    fits = step.shown is None or shown_as(step.shown.strip()).fullmatch(squeezed(output))
    assert fits, (
        f"{page.name}: {step.commands}\nprinted\n{squeezed(output)}\n{said}\nand"
        f" not\n{squeezed(step.shown or '')}"
    )


@pytest.fixture(scope="module")
def ran(
    request: pytest.FixtureRequest, agentjobs: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[None]]]:
    """The pages that are asked for, side by side; then one by one those that need to be alone."""
    asked = {
        item.callspec.params["page"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    }
    folder = tmp_path_factory.mktemp("pages")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool, ThreadPoolExecutor(1) as alone:
        found = {
            name: pool.submit(run, PAGES[name], agentjobs, folder / name)
            for name in sorted(asked - ALONE)
        }

        def after_the_others(name: str) -> None:
            wait([future for other, future in found.items() if other not in ALONE])
            run(PAGES[name], agentjobs, folder / name)

        yield found | {name: alone.submit(after_the_others, name) for name in sorted(asked & ALONE)}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_and_print_what_it_says(
    page: str, ran: Mapping[str, Future[None]]
) -> None:
    ran[page].result(timeout=290)
