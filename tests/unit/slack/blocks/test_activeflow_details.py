"""One activeflow in detail: its steps with their times, its family, and what is not known of either."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.activeflows.model import Status
from bot.activeflows.queries.details import Details, Family, Relative, StepTimes, WithheldReason
from bot.activeflows.situation.history import HistoryLine
from bot.slack import ids
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.messaging.messenger import checked
from tests.unit.slack.blocks.screens import ALICE, NOW, activeflow, details

LAP = NOW - timedelta(minutes=4)


def drawn(shown: Details) -> list[dict[str, Any]]:
    message = activeflow_details(shown, ALICE, command="/flows")
    return checked(message.text, message.blocks)[1]


def words(shown: Details) -> str:
    return json.dumps(drawn(shown), ensure_ascii=False)


def steps(*history: HistoryLine, present: HistoryLine | None = None, status: Status = Status.RUNNING) -> list[str]:
    """The lines of the section with the steps."""
    shown = replace(details(status=status, family=Family()), history=history, present=present)
    told = [block["text"]["text"] for block in drawn(shown) if block["type"] == "section" and "text" in block]
    return next(text.split("\n") for text in told if text.startswith("*Steps"))


def clock(seconds: int) -> str:
    return f"<!date^{int(NOW.timestamp()) - seconds}^{{time_secs}} {{date_short_pretty}}|"


def test_a_step_tells_when_it_began_and_how_long_it_took() -> None:
    title, line = steps(HistoryLine("speaking a text", 1, LAP, LAP, timedelta(seconds=9)))
    assert title == "*Steps so far*"
    assert line.startswith(f"• speaking a text · {clock(240)}")
    assert line.endswith("UTC>, 9 s")


def test_laps_tell_their_first_and_their_last() -> None:
    _, line = steps(HistoryLine("text → keypad input", 7, LAP, NOW, timedelta(minutes=4)))
    assert line.startswith(f"• text → keypad input ×7 · first {clock(240)}")
    assert f", last {clock(0)}" in line
    assert line.endswith("UTC>, 4 min in all")


def test_what_has_no_time_is_told_without() -> None:
    assert steps(
        HistoryLine("answering the call"), HistoryLine("text", 3), HistoryLine("4 steps more", left_out=4)
    ) == [
        "*Steps so far*",
        "• answering the call",
        "• text ×3",
        "… 4 steps more",
    ]


def test_the_present_step_tells_since_when_and_an_interrupted_one_how_long_it_was() -> None:
    present = HistoryLine("playing audio", 1, NOW - timedelta(seconds=45), None, timedelta(seconds=45))
    _, now = steps(present=present)
    assert now.startswith(f"▸ *Now:* playing audio · since {clock(45)}")
    assert now.endswith("UTC>, 45 s")
    title, end = steps(present=present, status=Status.ENDED)
    assert title == "*Steps*"
    assert end.startswith(f"▸ *At the end:* playing audio · {clock(45)}")


@pytest.mark.parametrize("name", ["a" * 300, "&" * 300, "Support line"])
def test_the_longest_history_is_whole_and_no_section_is_cut(name: str) -> None:
    shown = details(name)
    blocks = drawn(shown)
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section" and "text" in block]
    lines = [line for text in texts for line in text.split("\n") if line[:1] in {"•", "…", "▸"} and "UTC" in line]
    assert len(lines) == len(shown.history)  # all but the one that stands for the rest, and the present one
    assert all(line.count("<!date^") == line.count("UTC>") for line in lines)
    assert max(len(text) for text in texts) <= 3000
    assert len(blocks) <= 20


@pytest.mark.parametrize(
    ("timing", "said"),
    [
        (StepTimes.PARTLY, "Some times are not known: VoIPBIN's timeline has no event of those steps."),
        (StepTimes.NOT_KEPT, "Times not known: VoIPBIN's timeline has no events of these steps."),
        (StepTimes.LATE, "Times not known: VoIPBIN did not answer in time."),
        (StepTimes.FAILED, "Times not known: VoIPBIN could not read its timeline."),
    ],
)
def test_what_is_not_known_of_the_times_is_said(timing: StepTimes, said: str) -> None:
    assert said in words(details(timing=timing))
    assert "not known: VoIPBIN" not in words(details())


# ---------------------------------------------------------------- family


def shows(blocks: list[dict[str, Any]]) -> list[str]:
    accessories = [block["accessory"] for block in blocks if "accessory" in block]
    return [str(ids.decode_activeflow(button["value"])) for button in accessories if button["action_id"] == ids.SHOW]


def test_relatives_have_their_name_their_status_and_a_button_of_their_own() -> None:
    parent, child = activeflow(2, status=Status.ENDED), activeflow(3)
    shown = details(family=Family(Relative(parent, "Main *menu*"), (Relative(child, None),)))
    assert shows(drawn(shown)) == [str(parent.id), str(child.id)]
    said = words(shown)
    assert f"Started after: *Main ∗menu∗* `{parent.short_id}`\\nEnded " in said
    assert f"Started by it: *Activeflow without a known flow* `{child.short_id}`\\nRunning 4 min" in said


def test_what_was_to_start_when_it_ended_is_told_from_what_else_it_started() -> None:
    one = details(status=Status.ENDED)
    ended_at = one.inspection.activeflow.updated_at
    follower = replace(activeflow(2), flow_id=one.inspection.activeflow.on_complete_flow_id, created_at=ended_at)
    before = replace(follower, created_at=NOW - timedelta(minutes=1))
    children = (Relative(follower, "Survey"), Relative(before, "Survey before"), Relative(activeflow(3), "Notes"))
    said = words(replace(one, family=Family(children=children)))
    assert "Started when it ended: *Survey*" in said
    assert "Started by it: *Survey before*" in said
    assert "Started by it: *Notes*" in said


@pytest.mark.parametrize(
    ("family", "said"),
    [
        (Family(WithheldReason.HIDDEN), "Started after another activeflow."),
        (Family(WithheldReason.GONE), "Started after an activeflow that no longer exists."),
        (Family(WithheldReason.NOT_KNOWN), "Started after another activeflow, which could not be read."),
        (Family(hidden=1), "And another activeflow, which you can’t view here."),
        (Family(more=2, hidden=3), "And 2 more and 3 other activeflows, which you can’t view here."),
        (Family(more=2), "And 2 more."),
        (Family(looked=True), "Nothing was found that started when it ended."),
        (Family(looked=False), "Whether anything started when it ended is not known"),
    ],
)
def test_of_what_is_not_shown_only_its_being_there_is_said(family: Family, said: str) -> None:
    shown = details(status=Status.ENDED, family=family)
    assert said in words(shown)
    assert shows(drawn(shown)) == []
    assert str(shown.inspection.activeflow.parent_id) not in words(shown)


def test_one_without_a_family_says_nothing_of_it() -> None:
    said = words(details(family=Family()))
    assert "Started" not in said
    assert "activeflow that" not in said


def test_entered_flows_are_named_once_and_what_was_to_follow_is_told_in_the_right_tense() -> None:
    one = replace(details(), entered=("Billing", None, *(f"Flow {n}" for n in range(6))))
    said = words(one)
    assert "*Flows entered*\\nBilling, Flow 0, Flow 1, Flow 2, Flow 3 and 3 more" in said
    assert "1, name unknown" in words(replace(one, entered=(None,)))
    assert "*When it ends*" in said
    assert "should have started" in words(details(status=Status.ENDED))
