"""What a menu offers is what Slack shows, whatever people called their flows, and carries ids only."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.anomalies import Reason
from bot.activeflows.model import Freshness, Picture
from bot.activeflows.search.choices import MOST, Choice, Choices
from bot.demo.slack import block_elements, block_kit
from bot.slack import ids, kit
from bot.slack.blocks.picker import not_listed, offered, picker, stop_form
from bot.slack.messaging.messenger import checked_view
from tests.contract.slack.judge import faults
from tests.unit.slack.blocks.picker_screens import DOWN, LIVE, choices
from tests.unit.slack.blocks.screens import CALLER, NOW, activeflow

ANY = st.text(max_size=300) | st.sampled_from(
    ["<!channel>", "&" * 200, "\u202eenil\u202c", "a\nb", "👩‍👩‍👧" * 40, "\x00", "—" * 80]
)
TIMES = st.none() | st.timedeltas(-timedelta(days=1), timedelta(days=2000)).map(lambda age: NOW - age)


@st.composite
def _choices(draw: st.DrawFn) -> Choices:
    names = draw(st.lists(st.tuples(ANY | st.none(), ANY, TIMES), max_size=MOST))
    reasons = sorted(
        draw(st.lists(st.sampled_from([*Reason, None]), min_size=len(names), max_size=len(names))), key=str
    )
    found = tuple(
        Choice(replace(activeflow(number + 1), created_at=began), name, words, reason)
        for number, ((name, words, began), reason) in enumerate(zip(names, reasons, strict=True))
    )
    live = draw(st.none() | st.booleans().map(lambda live: Freshness(live, None if live else NOW)))
    picture = Picture((), NOW - timedelta(seconds=draw(st.integers(-5, 90_000))), draw(TIMES), freshness=live)
    more = st.integers(0, 1_000_000)
    return Choices(
        found=found,
        total=len(found) + draw(more),
        hidden=draw(more),
        unnamed=draw(more),
        picture=replace(picture, unreadable=draw(more)),
        anything=draw(st.booleans()),
        number=not found and draw(st.booleans()),
    )


@given(_choices(), st.sampled_from(["/flows", "/" + "x" * 31, "@flows-bot"]))
def test_any_names_are_offered_within_slacks_limits(shown: Choices, command: str) -> None:
    groups = offered(shown, NOW, command=command)
    assert list(block_elements.offered({"option_groups": groups})) == []
    assert groups, "an empty menu says that there is nothing"
    assert [fault for group in groups for fault in faults("BlockOptions", {"options": group["options"]})] == []
    options = [option for group in groups for option in group["options"]]
    chosen = [option for option in options if option["value"] != ids.NOTE]
    assert [UUID(option["value"]) for option in chosen] == [choice.activeflow.id for choice in shown.found]
    for option, choice in zip(chosen, shown.found, strict=True):
        assert option["text"]["text"].endswith(f" · {choice.activeflow.short_id}")
    for text in (part["text"] for option in options for part in (option["text"], option.get("description")) if part):
        assert "\u202e" not in text
        assert "\n" not in text


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_reason_why_nothing_is_listed_can_be_shown(why: str, instead: str) -> None:
    assert list(block_elements.offered({"option_groups": not_listed(why, instead)})) == []


def test_the_form_and_the_messages_are_slacks() -> None:
    assert block_kit.check_view(checked_view(stop_form())) == []
    assert faults("ModalView", stop_form()) == []
    for word in ("show", "stop", "watch"):
        assert block_kit.check(list(picker(word, command="/flows").blocks), "message") == []


def _lines(groups: list[kit.Element]) -> list[str]:
    lines = []
    for group in groups:
        lines += [f"# {group['label']['text']}"]
        lines += [option["text"]["text"] for option in group["options"]]
    return lines


def test_what_is_wrong_stands_first_under_its_own_heading() -> None:
    lines = _lines(offered(choices("Support line", activeflow), NOW, command="/flows"))
    assert [line for line in lines if line.startswith("#")] == [
        *("# Stuck?", "# Going round in circles", "# Nearly out of steps", "# Left over?"),
        "# The rest, the oldest first",
    ]
    assert lines[1:3] == [
        "Activeflow without a known flow · 4 min · 3c5b0f6e",
        "Support line · 4 min · 3c5b0f6f",
    ]


def test_how_old_and_how_complete_it_is_is_said() -> None:
    shown = choices("Support line", activeflow, total=73, hidden=2, unnamed=1, picture=DOWN)
    lines = _lines(offered(shown, NOW, command="/flows"))
    assert lines[0] == "# Stuck? · read 40 s ago, event stream down"
    assert lines[-6:] == [
        "# Please note",
        "63 more. Type to narrow them down.",
        "Older than 1 h 4 min: not all read, type the id",
        "1 could not be read",
        "2 hidden, no permission to view",
        "1 could be missing, flow name not readable",
    ]
    only = choices("", activeflow, found=choices("x", activeflow).found[-1:], total=1, picture=LIVE)
    assert _lines(offered(only, NOW, command="/flows"))[0] == "# The oldest first"


def test_no_caller_is_in_it() -> None:
    assert CALLER not in json.dumps(offered(choices("Support line", activeflow), NOW, command="/flows"))
