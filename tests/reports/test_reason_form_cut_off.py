"""A form whose opening is lost: nothing was done, and the words say so.

https://docs.slack.dev/reference/methods/views.open (a trigger is used once, so a second try says ``exchanged``)
"""

import pytest

from bot.demo.slack.faults import Fault, error, lose_answer, reset_before
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.conftest import ALICE, Stage


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([reset_before(), reset_before()], "Slack did not say whether it shows you the form"),
        ([error("internal_error")], "Or type /flows stop"),
    ],
)
async def test_a_form_that_does_not_open_is_told_of(
    stage: Stage, slack: Workspace, voipbin: World, faults: list[Fault], words: str
) -> None:
    stage.policy.write_text(stage.policy.read_text() + "\n[rules]\nreason_required = true\n")
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        for fault in faults:
            slack.faults.on("views.open", fault)
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        told = await stage.reads(words)
        assert "Nothing was stopped" in told.words
        assert "hit a bug" not in told.words
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await slack.until(lambda: slack.views_of(ALICE))
    assert stage.posts(activeflow) == 0


async def test_a_form_whose_opening_was_not_confirmed_still_counts(
    stage: Stage, slack: Workspace, voipbin: World
) -> None:
    stage.policy.write_text(stage.policy.read_text() + "\n[rules]\nreason_required = true\n")
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        slack.faults.on("views.open", lose_answer())
        await slack.clicks(ALICE, card, ids.STOP_FLOW)
        await stage.reads("Slack did not say whether it shows you the form")
        (view,) = slack.views_of(ALICE)
        await slack.submits(ALICE, view, {ids.REASON: {ids.REASON: "loops since noon"}})
        await stage.reads("Stopped by @Alice")
    assert stage.posts(activeflow) == 1
