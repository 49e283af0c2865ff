"""Decoding never fails, whatever is missing; what is there is found where Slack puts it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.interaction import Interaction, from_action, from_body, from_command, from_shortcut, from_view

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["user", "team", "channel", "container", "message", "actions", "response_urls", "type", "user_id", "command"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_odd_bodies_give_a_gesture_of_nobody_and_never_an_error(body: dict[str, Any]) -> None:
    for decode in (from_command, from_action, from_view, from_shortcut):
        interaction = decode(body)
        assert all(isinstance(getattr(interaction, name), str | bool) for name in Interaction.__slots__)
    from_body(body)


def test_a_press_says_whose_team_the_person_is_of() -> None:
    interaction = from_action(
        {
            "type": "block_actions",
            "user": {"id": "U0OUT", "team_id": "T0OTHER"},
            "team": {"id": "T0NORTHWND"},
            "container": {"channel_id": "C1", "message_ts": "1.1", "is_ephemeral": False, "thread_ts": "0.9"},
            "actions": [{"action_id": "a", "action_ts": "2.2"}],
            "response_url": "https://hooks.example/1",
            "trigger_id": "t1",
        }
    )
    assert interaction == Interaction(
        user_id="U0OUT",
        team_id="T0OTHER",
        channel_id="C1",
        response_url="https://hooks.example/1",
        trigger_id="t1",
        message_ts="1.1",
        action_ts="2.2",
        thread_ts="0.9",
    )


@pytest.mark.parametrize(
    ("body", "user"),
    [
        ({"command": "/flows", "user_id": "U1"}, "U1"),
        ({"type": "block_actions", "user": {"id": "U2"}}, "U2"),
        ({"type": "view_submission", "user": {"id": "U3"}}, "U3"),
        ({"type": "view_closed", "user": {"id": "U3"}}, "U3"),
        ({"type": "shortcut", "user": {"id": "U4"}}, "U4"),
        ({"type": "message_action", "user": {"id": "U4"}}, "U4"),
        ({"type": "event_callback", "event": {"user": "U5"}}, None),
        ({}, None),
    ],
)
def test_each_kind_of_body_is_decoded_as_itself(body: dict[str, Any], user: str | None) -> None:
    interaction = from_body(body)
    assert (interaction.user_id if interaction else None) == user
