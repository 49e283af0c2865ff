"""What asked for a stop card comes again after a restart, the same bytes under the same signature: there is no second
card.
"""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.ledger.tables import intents
from tests.scenarios.conftest import ALICE, BOB, INCIDENTS, POLICY, Stage
from tests.scenarios.test_asking_others_bounded import offers
from tests.scenarios.test_unrecorded import rows

BULK = f'{POLICY}\n[[grant]]\nto = ["{ALICE}"]\nmay = ["bulk"]\n'


@pytest.mark.parametrize("words", ["stop {id}", "stop all flow:Support they loop"])
@pytest.mark.parametrize("mentioned", [False, True])
async def test_a_command_that_comes_again_after_a_restart_makes_no_second_card(
    stage: Stage, slack: Workspace, voipbin: World, words: str, *, mentioned: bool
) -> None:
    stage.policy.write_text(BULK, encoding="utf-8")
    activeflow = voipbin.rings(voipbin.add_flow("Support"), at="play")
    typed = words.format(id=activeflow.id)

    def cards() -> int:
        return sum("Asked by" in m.words for m in slack.sees(BOB, INCIDENTS))

    async with stage.start():
        said = f"@{slack.app_name} {typed}" if mentioned else f"/flows {typed}"
        await slack.types(ALICE, INCIDENTS, said)
        await slack.until(cards)
    first = slack.deliveries[-1]
    async with stage.start():  # whose end waits for what it was asked
        again = await slack.delivers(first.body, first.headers)
        assert again.status == 200
    assert cards() == 1


async def test_a_refused_command_that_comes_again_after_a_restart_keeps_one_draft(
    stage: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    activeflow = voipbin.rings(at="play")
    async with stage.start():
        await slack.types(BOB, INCIDENTS, f"/flows stop {activeflow.id}")
        await slack.until(lambda: offers(slack, BOB))
    first = slack.deliveries[-1]
    async with stage.start():
        await slack.delivers(first.body, first.headers)
        await slack.until(lambda: len(offers(slack, BOB)) == 2)
    assert len(rows(sqlite_url, intents.c.id)) == 1


@pytest.mark.parametrize("presser", [ALICE, BOB])
async def test_a_press_that_comes_again_when_it_was_carried_out_is_not_called_unsent(
    stage: Stage, slack: Workspace, voipbin: World, presser: str
) -> None:
    """The bot was killed before Slack had its ack, and has carried the press out since."""
    activeflow = voipbin.rings(at="play", reference_type="api")
    async with stage.start():
        card = await stage.asks_to_stop(activeflow)
        await slack.clicks(presser, card, "stop.flow")
        await stage.reads("Receipt" if presser == ALICE else "You can't stop this", user=presser)
    first = slack.deliveries[-1]
    async with stage.start():
        await slack.delivers(first.body, first.headers)
        if presser == ALICE:
            await stage.reads("Your press is recorded, and was carried out or is on its way.")
        else:  # it was not: that is said once more, and why
            await slack.until(lambda: said(slack, presser, "You can't stop this: no “stop” permission") == 2)
    for words in ("Nothing has been sent", *(() if presser == ALICE else ("was carried out",))):
        assert not said(slack, presser, words)
    assert stage.posts(activeflow) == (presser == ALICE)


def said(slack: Workspace, user: str, words: str) -> int:
    """How many messages that this person sees say so."""
    return sum(words in message.words for message in slack.sees(user, INCIDENTS))
