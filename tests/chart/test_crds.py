"""The chart brings the same CRDs as crds/, upgrades them, and never deletes them."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.chart.helm import CHART, Document, Helm, of_kind
from tests.support.root import ROOT

KIND = "CustomResourceDefinition"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.yaml")}


def checked_in() -> dict[str, Document]:
    crds = [yaml.safe_load(text) for text in contents(ROOT / "crds").values()]
    return {crd["metadata"]["name"]: crd for crd in crds}


def test_copies_in_the_chart_equal_crds() -> None:
    assert contents(CHART / "files" / "crds") == contents(ROOT / "crds"), "run `make crds`"


def test_rendered_crds_equal_crds_but_for_labels_and_the_keep_policy(helm: Helm) -> None:
    rendered = {crd["metadata"]["name"]: crd for crd in of_kind(helm.documents(crds=True), KIND)}
    expected = checked_in()
    assert set(rendered) == set(expected)
    for name, crd in rendered.items():
        assert crd["metadata"].pop("annotations")["helm.sh/resource-policy"] == "keep"
        crd["metadata"].pop("labels")
        expected[name]["metadata"].pop("annotations", None)
        assert crd == expected[name]


def test_crds_can_be_left_to_somebody_else(helm: Helm) -> None:
    assert of_kind(helm.documents({"crds": {"enabled": False}}, crds=True), KIND) == []
