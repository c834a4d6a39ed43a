"""What is wrong with a resource is said in a sentence of bounded length."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from agentjobs.api.base import MAX_SENTENCE, explain
from agentjobs.api.job import ScheduledAgentJobSpec


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_spec_with_very_many_mistakes_is_told_soon() -> None:
    with pytest.raises(ValidationError) as told:
        ScheduledAgentJobSpec.model_validate({f"field{number}": 1 for number in range(50_000)})
    sentence = explain(told.value)
    assert len(sentence) <= MAX_SENTENCE
    assert re.search("; and 49[0-9]{3} more$", sentence)
