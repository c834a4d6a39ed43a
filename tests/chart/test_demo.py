"""The demo reads the settings that the chart writes, without a reader of YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.demo.place import runner_image
from tests.chart.helm import FULL_VALUES, Helm
from tests.chart.settings import settings, text


@pytest.mark.parametrize("file", [None, FULL_VALUES], ids=["default", "full"])
def test_the_demo_finds_the_runners_image(helm: Helm, file: Path | None) -> None:
    documents = helm.documents(file=file)
    runner = settings(documents).runner
    assert runner_image(text(documents)) == (runner.image, runner.image_pull_policy)
