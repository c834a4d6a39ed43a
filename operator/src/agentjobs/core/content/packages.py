"""Which packages a job may have installed: what the runner's image holds, and what people decided about the others.

A package is approved when an Approved in the job's namespace names exactly its version and no Denied does; time plays no
part. A denial outweighs the image, too: whoever denies a package means it.
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
"""As a card says it."""
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
    """What is known of packages in one namespace. `inventory`: the image's, as canonical pins."""

    inventory: frozenset[str] = frozenset()
    approvals: tuple[PackageApprovalView, ...] = ()

    def verdict(self, pin: str) -> PackageVerdict:
        """Of one pin, in whatever spelling."""
        wanted = canonical(pin)
        decisions = {approval.decision for approval in self.approvals if wanted in approval.packages}
        if "Denied" in decisions:
            return "Denied"
        if wanted in self.inventory:
            return "Included"
        return "Approved" if "Approved" in decisions else "Pending"

    def without(self, approvals: Collection[PackageApprovalView]) -> Packages:
        """As if these had not been made."""
        return replace(self, approvals=tuple(approval for approval in self.approvals if approval not in approvals))

    def lacking(self, pins: Iterable[str]) -> dict[str, PackageVerdict]:
        """Those that may not be used, with Denied or Pending."""
        verdicts = {pin: self.verdict(pin) for pin in pins}
        return {pin: verdict for pin, verdict in verdicts.items() if verdict in ("Denied", "Pending")}


def pins(values: Iterable[object]) -> tuple[str, ...]:
    """Canonical pins; what is none is left out."""
    return tuple(pin for value in values if (pin := canonical_or_none(value)))


def package_approval_view(body: Mapping[str, Any]) -> PackageApprovalView:
    """From a PackageApproval. What is no pin in it can be no job's either."""
    spec = body["spec"]
    found = frozenset(pins(spec["packages"]))
    return PackageApprovalView(body["metadata"]["name"], found, spec["decision"], spec.get("approvedBy"))


def inventory(versions: Mapping[str, str]) -> frozenset[str]:
    """Canonical pins of what an image's inventory lists, name and version; what no pin could name is left out."""
    return frozenset(pins(f"{name}=={version}" for name, version in versions.items()))


def foreign(pins: Iterable[str], inventory: frozenset[str]) -> tuple[str, ...]:
    """The pins that the image does not hold in that version: they need an approval and have to be installed."""
    return tuple(pin for pin in pins if canonical(pin) not in inventory)


def card_lines(pins: Iterable[str], packages: Packages) -> tuple[str, ...]:
    """Each pin, and what an approver has to know of it."""
    return tuple(f"{pin}: {WORDS[packages.verdict(pin)]}" for pin in pins)


def listed(pins: Iterable[str]) -> str:
    """As part of a sentence, which stays short."""
    found = tuple(pins)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
