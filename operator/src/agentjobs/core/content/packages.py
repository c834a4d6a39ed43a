"""Decides which packages a job may have installed, by the runner's image and people's decisions.

A package is approved when an Approved in the job's namespace names exactly its version and no
Denied does; times do not count. A denial also applies to what the image holds: somebody who denies
a package means it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from agentjobs.api.package_rules import canonical, canonical_or_none

PackageVerdict = Literal["Included", "Approved", "Denied", "Pending"]
WORDS: Final[dict[PackageVerdict, str]] = {
    "Included": "in the runner image",
    "Approved": "approved",
    "Denied": "denied",
    "Pending": "needs approval",
}
"""The verdicts in the words of a card."""
SHOWN: Final = 10
"""Names in one sentence."""


@dataclass(frozen=True, slots=True)
class PackageApprovalView:
    """A PackageApproval, in short. `packages` are canonical pins."""

    name: str
    packages: frozenset[str]
    decision: Literal["Approved", "Denied"]
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Packages:
    """What is known about packages in one namespace.

    `inventory`: the image's, as canonical pins.
    """

    inventory: frozenset[str] = frozenset()
    approvals: tuple[PackageApprovalView, ...] = ()

    def verdict(self, pin: str) -> PackageVerdict:
        """The verdict on one pin, in any spelling."""
        wanted = canonical(pin)
        decisions = {
            approval.decision for approval in self.approvals if wanted in approval.packages
        }
        if "Denied" in decisions:
            return "Denied"
        if wanted in self.inventory:
            return "Included"
        return "Approved" if "Approved" in decisions else "Pending"

    def without(self, approvals: Collection[PackageApprovalView]) -> Packages:
        """The same without these approvals."""
        return replace(
            self,
            approvals=tuple(approval for approval in self.approvals if approval not in approvals),
        )

    def lacking(self, pins: Iterable[str]) -> dict[str, PackageVerdict]:
        """The pins that may not be used, each with Denied or Pending."""
        verdicts = {pin: self.verdict(pin) for pin in pins}
        return {
            pin: verdict for pin, verdict in verdicts.items() if verdict in ("Denied", "Pending")
        }


def pins(values: Iterable[object]) -> tuple[str, ...]:
    """The canonical pins among the values; anything else is left out."""
    return tuple(pin for value in values if (pin := canonical_or_none(value)))


def package_approval_view(body: Mapping[str, Any]) -> PackageApprovalView:
    """The view of a PackageApproval. It leaves out what is not a pin: no job can have it either."""
    spec = body["spec"]
    found = frozenset(pins(spec["packages"]))
    return PackageApprovalView(
        body["metadata"]["name"], found, spec["decision"], spec.get("approvedBy")
    )


def inventory(versions: Mapping[str, str]) -> frozenset[str]:
    """Canonical pins of the names and versions in an image's inventory that a pin can name."""
    return frozenset(pins(f"{name}=={version}" for name, version in versions.items()))


def foreign(pins: Iterable[str], inventory: frozenset[str]) -> tuple[str, ...]:
    """The pins that the image lacks in that version: they need approval and must be installed."""
    return tuple(pin for pin in pins if canonical(pin) not in inventory)


def card_lines(pins: Iterable[str], packages: Packages) -> tuple[str, ...]:
    """A line for each pin, with what an approver has to know about it."""
    return tuple(f"{pin}: {WORDS[packages.verdict(pin)]}" for pin in pins)


def listed(pins: Iterable[str]) -> str:
    """The pins as part of a sentence, which stays short."""
    found = tuple(pins)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
