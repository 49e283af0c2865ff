"""The simulated VoIPBIN answers in the shape of the samples: the same keys, in the same forms, with the same fixed
words.
"""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.voipbin.stories import STORIES, Tell

SAMPLES = Path(__file__).parents[2] / "samples" / "voipbin"
FIXED_WORDS = {"status", "reason", "type", "reference_type", "direction", "event_type", "hangup_by", "hangup_reason"}
FORMS = {
    "zero UUID": r"0{8}-0{4}-0{4}-0{4}-0{12}",
    "start marker": r"0{8}-0{4}-0{4}-0{4}-0{11}1",
    "finish marker": r"0{8}-0{4}-0{4}-0{4}-0{11}2",
    "UUID": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "token": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "empty": "",
}


def form(key: str, text: str) -> str:
    if key == "timestamp":
        return "timestamp" if re.fullmatch(FORMS["timestamp"], text) else f"bad timestamp {text}"
    if key == "next_page_token" and text:
        return "token" if re.fullmatch(FORMS["token"], text) else f"bad token {text}"
    if key in FIXED_WORDS:
        return text
    return next((name for name, pattern in FORMS.items() if re.fullmatch(pattern, text)), "text")


def shape(value: Any, key: str = "") -> Any:
    """The value with everything that may differ from one activeflow to the next replaced by its form."""
    if isinstance(value, dict):
        return {name: shape(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return form(key, value) if isinstance(value, str) else type(value).__name__


def sample(case: str, status: int) -> Any:
    return json.loads((SAMPLES / case / f"{status}.json").read_text())


@pytest.mark.parametrize(("case", "status"), STORIES)
async def test_the_simulation_answers_in_the_shape_of_the_sample(case: str, status: int, tell: Tell) -> None:
    answer = await tell(STORIES[case, status])
    assert answer.status_code == status
    assert shape(answer.json()) == shape(sample(case, status))


def test_every_sample_has_its_story() -> None:
    found = {(path.parent.name, int(path.stem)) for path in SAMPLES.glob("*/*.json")}
    assert found == set(STORIES)


def test_a_missing_key_or_another_form_of_time_is_another_shape() -> None:
    digits = sample("activeflow-waiting-for-digits", 200)
    for wrong in (
        {key: digits[key] for key in digits if key != "forward_action_id"},
        digits | {"tm_create": "2026-09-02T10:15:30.450000Z"},
        digits | {"tm_delete": ""},
        digits | {"on_complete_flow_id": digits["reference_activeflow_id"]},
    ):
        assert shape(wrong) != shape(digits)


def test_a_limited_answer_says_when_to_come_back(rate_limited: httpx.Response) -> None:
    assert rate_limited.headers["Retry-After"] == "1"


@pytest.fixture
async def rate_limited(tell: Tell) -> httpx.Response:
    return await tell(STORIES["rate-limited", 429])
