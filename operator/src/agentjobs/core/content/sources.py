"""Texts that a job keeps in ConfigMaps: finds the references, and replaces each by its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from agentjobs.api import names
from agentjobs.api.base import ApiModel
from agentjobs.api.texts import LongText
from agentjobs.core.errors import UserError

T = TypeVar("T", bound=ApiModel)


class Reference(NamedTuple):
    """A key of a ConfigMap in the job's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why there is no text: the reason, and the end of a sentence that the field's path begins."""

    reason: str
    message: str


Sources = Mapping[Reference, str | Unusable]
"""The texts that the references of a spec stand for."""
NO_SOURCES: Final[Sources] = MappingProxyType({})


def references(spec: ApiModel) -> frozenset[Reference]:
    """All references in a spec, at any depth."""
    return frozenset(
        Reference(text.config_map_key_ref.name, text.config_map_key_ref.key)
        for text in _long_texts(spec)
        if text.config_map_key_ref
    )


def text_of(config_map: Mapping[str, Any] | None, reference: Reference) -> str | Unusable:
    """The text that a reference names in a ConfigMap as the API server sent it.

    `config_map` None: it does not exist.
    """
    named = f"the ConfigMap {reference.name}"
    if config_map is None:
        return Unusable(
            "SourceMissing",
            f"there is no ConfigMap named {reference.name} in this namespace; create it, or correct"
            " the name",
        )
    if (config_map["metadata"].get("labels") or {}).get(names.SOURCE_LABEL) != "true":
        return Unusable(
            "SourceNotLabelled",
            f"{named} is not labelled {names.SOURCE_LABEL}=true; label it if jobs may use it",
        )
    text: str | None = (config_map.get("data") or {}).get(reference.key)
    return _no_text(config_map, reference) if text is None else text


def _no_text(config_map: Mapping[str, Any], reference: Reference) -> Unusable:
    if reference.key in (config_map.get("binaryData") or {}):
        return Unusable(
            "SourceInvalid",
            f"the key {reference.key} of the ConfigMap {reference.name} is not UTF-8 text; save it"
            " as UTF-8",
        )
    message = (
        f"the ConfigMap {reference.name} has no key {reference.key}; add it, or correct the key"
    )
    return Unusable("SourceMissing", message)


def resolved(spec: T, sources: Sources) -> T:
    """The spec with every reference replaced by its text, as if that stood inline.

    Raises UserError for the first unusable one.
    """
    return _resolved(spec, sources, "spec")


def _resolved(model: T, sources: Sources, path: str) -> T:
    changed: dict[str, ApiModel] = {}
    for name, field in type(model).model_fields.items():
        value, where = getattr(model, name), f"{path}.{field.alias or name}"
        if isinstance(value, LongText):
            replacement: ApiModel = _inline(value, sources, where)
        elif isinstance(value, ApiModel):
            replacement = _resolved(value, sources, where)
        else:
            continue
        if replacement is not value:
            changed[name] = replacement
    return model.model_copy(update=changed) if changed else model


def _inline(text: LongText, sources: Sources, path: str) -> LongText:
    if text.config_map_key_ref is None:
        return text
    reference = Reference(text.config_map_key_ref.name, text.config_map_key_ref.key)
    found = sources.get(reference)
    named = f"the key {reference.key} of the ConfigMap {reference.name}"
    if found is None:
        found = Unusable("SourceMissing", f"{named} has not been read")
    if isinstance(found, str) and (problem := text.text_problem(found)):
        found = Unusable("SourceInvalid", f"{named} {problem}")
    if isinstance(found, Unusable):
        raise UserError(f"{path}.configMapKeyRef: {found.message}", found.reason)
    resolved_text: LongText = text.with_text(found)
    return resolved_text


def _long_texts(model: ApiModel) -> Iterator[LongText]:
    if isinstance(model, LongText):
        yield model
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, ApiModel):
            yield from _long_texts(value)
