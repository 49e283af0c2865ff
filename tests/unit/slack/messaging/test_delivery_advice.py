"""Advice goes by an established cause only: Slack's own word for it, and none where that is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.messaging.messenger import BAD_BLOCKS, DOUBTFUL, not_shown

_INVITES = {"not_in_channel", "channel_not_found", "used_url", "expired_url"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "not_in_channel",
            "The list could not be posted: the bot is not a member of the channel. Invite the bot to the channel, then ask again.",
        ),
        ("is_archived", "The list could not be posted: the channel is archived. Use another channel, then ask again."),
        ("message_not_found", "The list could not be posted: the message no longer exists. Ask again."),
        ("lost", "Slack did not say whether the list was posted. It could be there."),
        ("a_word_of_tomorrow", "The list could not be posted: Slack did not take it (a_word_of_tomorrow). Ask again."),
        ("status 418", "The list could not be posted: Slack did not take it. Ask again."),
    ],
)
def test_what_is_said_follows_from_slacks_word(error: str, told: str) -> None:
    assert not_shown("The list", error, again="ask again") == told


@pytest.mark.parametrize("error", sorted(BAD_BLOCKS))
def test_a_message_that_slack_finds_malformed_is_the_bots_fault(error: str) -> None:
    assert "a bug of this bot" in not_shown("The list", error)


@pytest.mark.parametrize("error", sorted(DOUBTFUL))
def test_a_lost_answer_is_called_neither_posted_nor_not(error: str) -> None:
    assert "could be there" in not_shown("The list", error)
    assert "could say so already" in not_shown("The list", error, did="changed")


@given(st.text(max_size=80) | st.sampled_from(["", "no_permission", "internal_error", "team_access_not_granted"]))
def test_nobody_is_told_to_invite_the_bot_for_any_other_reason(error: str) -> None:
    told = not_shown("The list", error)
    assert ("nvite" in told) == (error in _INVITES)
    assert "\n" not in told
