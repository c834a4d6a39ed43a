from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.container import Host, Image


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    folder = _folder_for_everyone()
    yield Image(folder)
    shutil.rmtree(folder)


@pytest.fixture
def host(image: Image) -> Iterator[Host]:
    folder = _folder_for_everyone()
    host = Host(image, folder)
    yield host
    host.end()
    shutil.rmtree(folder)


def _folder_for_everyone() -> Path:
    """pytest's own folders are closed to other uids than its own."""
    folder = Path(tempfile.mkdtemp(prefix="agentjobs-runner-"))
    folder.chmod(0o755)
    return folder
