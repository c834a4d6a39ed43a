"""What distinguishes one event from another, and how large it may be."""

from __future__ import annotations

from typing import Any

from agentjobs.api.event import Event
from agentjobs.core.views.event import (
    MAX_EVENT_BYTES,
    EventView,
    digits,
    encoded,
    event_of,
    event_view,
    size_problem,
)


def event(**attributes: Any) -> Event:
    return Event.model_validate({"id": "4711", "source": "/cms", "type": "t", **attributes})


def test_the_name_comes_from_source_and_id_alone_as_sha256sum_would_say_it() -> None:
    assert digits(event()) == "676d0e412"
    assert digits(event(type="other", data=1)) == digits(event())
    assert (
        len({digits(event()), digits(event(id="4712")), digits(event(source="/c", id="ms4711"))})
        == 3
    )


def test_an_event_of_128_kib_fits_and_one_byte_more_does_not() -> None:
    room = MAX_EVENT_BYTES - len(encoded(event(data="")).encode())
    assert size_problem(event(data="x" * room)) is None
    assert "at most 131072" in (size_problem(event(data="x" * (room + 1))) or "")
    assert "at most 131072" in (size_problem(event(data="é" * (room // 2 + 1))) or "")


def test_a_view_of_an_event_holds_no_data_and_says_what_is_wrong_with_it() -> None:
    sent = {"id": "4711", "source": "/cms", "type": "t", "data": {"pages": 3}}
    assert event_view({"type": "Event", "event": sent}) == EventView("t", "/cms", digits(event()))
    assert event_view({"type": "Manual"}) is None
    assert event_view({}) is None
    broken = event_view({"type": "Event", "event": {"source": "/cms", "type": "t"}})
    assert broken is not None
    assert (broken.digits, broken.problem) == ("", "spec.trigger.event.id: is required")
    corrupt = event_view({"type": "Event"}, "is nested more than 100 levels deep")
    assert corrupt is not None
    assert (corrupt.problem or "").startswith("spec.trigger.event: is nested more than 100 levels")


def test_an_event_that_is_not_valid_is_not_handed_on() -> None:
    sent = {"id": "4711", "source": "/cms", "type": "t"}
    assert event_of({"spec": {"trigger": {"event": sent}}}) == event()
    assert event_of({"spec": {"trigger": {"event": {}}}}) is None
    assert event_of({"spec": {"trigger": None}}) is None
