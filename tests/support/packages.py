"""Jobs that ask for packages, and decisions about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from agentjobs.core.content.packages import (
    PackageApprovalView,
    Packages,
    inventory,
    package_approval_view,
)
from agentjobs.core.observed import Observed
from tests.support import manifests as written
from tests.support.decisions import observed

IMAGE = inventory({"requests": "2.32.3", "PyYAML": "6.0", "odd": "not a version"})


def decided(
    *pins: str, decision: Literal["Approved", "Denied"] = "Approved"
) -> PackageApprovalView:
    body = written.package_approval(packages=list(pins), decision=decision)
    return package_approval_view(body)


def asking(pins: list[str], *decisions: PackageApprovalView, **spec: Any) -> Observed:
    """A job that asks for these packages."""
    return replace(observed(packages=pins, **spec), packages=Packages(IMAGE, decisions))
