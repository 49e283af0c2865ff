"""What is left of a VoIPBIN account that the bot is not set up for (any more): nothing of it is sent, and that is
said.
"""

from bot.slack import ids
from tests.scenarios.account_stage import POLICY, AccountStage, of, two
from tests.scenarios.conftest import ALICE, CAROL
from tests.scenarios.typing_at import answers

__all__ = ["two"]


async def test_what_is_left_of_an_account_that_is_not_set_up_any_more_sends_nothing_and_says_so(
    two: AccountStage,
) -> None:
    same = two.ring(at="talk")
    id_ = same["prod"].id
    async with two.start():
        card = await two.card(f"stop {id_} account:staging")
        watch = await answers(two.stage, f"account:staging watch {id_}")
        listed = await answers(two.stage, "account:staging list")
    async with two.start("prod"):
        await two.says(watch, "No longer watched", "not set up for its VoIPBIN account any more")
        await two.presses(card, of("staging", ids.STOP_FLOW))
        await two.says(card, "staging · ", "not set up for the VoIPBIN account")
        await two.stage.slack.clicks(ALICE, listed, of("staging", ids.LIST_REFRESH))
        await two.stage.reads("not set up for the VoIPBIN account of this")
        asked = await answers(two.stage, "account:staging list")
        assert "There is no VoIPBIN account “staging” here" in asked.words
    assert two.sent() == {"prod": 0, "staging": 0}


async def test_a_card_from_before_there_were_several_accounts_sends_nothing(two: AccountStage) -> None:
    same = two.ring()
    old = f'[[grant]]\nto = ["{ALICE}", "{CAROL}"]\nmay = ["view", "stop"]\n'
    two.stage.policy.write_text(old)
    async with two.stage.start():
        card = await two.stage.asks_to_stop(same["prod"])
    two.stage.policy.write_text(f"{POLICY}{old}")
    async with two.start():
        await two.presses(card, ids.STOP_FLOW)
        await two.says(card, "not set up for the VoIPBIN account")
    assert two.sent() == {"prod": 0, "staging": 0}


async def test_a_card_of_one_of_several_accounts_sends_nothing_where_there_is_one(two: AccountStage) -> None:
    same = two.ring()
    async with two.start():
        card = await two.card(f"stop {same['prod'].id}")
    async with two.stage.start():
        await two.presses(card, of("prod", ids.STOP_FLOW))
        await two.says(card, "prod · ", "not set up for the VoIPBIN account")
    assert two.sent() == {"prod": 0, "staging": 0}


async def test_a_button_of_an_account_of_which_nothing_is_left_is_answered(two: AccountStage) -> None:
    two.ring()
    async with two.start():
        listed = await answers(two.stage, "account:staging list")
    async with two.start("prod"):
        await two.stage.slack.clicks(ALICE, listed, of("staging", ids.LIST_REFRESH))
        told = await two.stage.reads("not set up any more for")
        assert "staging" in told.words
