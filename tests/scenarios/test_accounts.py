"""Several VoIPBIN accounts in one bot: each is named, and nothing crosses, although they have the same ids."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import aiohttp
import pytest

from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import hold
from bot.demo.voipbin.world import World
from bot.misconfigured import Misconfigured
from bot.slack import ids
from tests.scenarios.account_stage import AccountStage, of, two
from tests.scenarios.conftest import ABROAD, ALICE, BOB, CAROL, INCIDENTS, LOBBY
from tests.scenarios.typing_at import answers

__all__ = ["two"]


def withdraw(world: World) -> None:
    """Its key is good no more."""
    for key in world.records.accesskeys:
        key.tm_delete = key.tm_create


@pytest.fixture
async def both(two: AccountStage) -> AsyncIterator[AccountStage]:
    async with two.start():
        yield two


async def test_a_channel_has_its_account_and_a_word_says_another(both: AccountStage) -> None:
    both.ring()
    here = await answers(both.stage, "list")
    assert "prod · " in here.words
    assert "Support line of prod" in here.words
    assert "staging" not in here.words
    there = await answers(both.stage, "list", channel=LOBBY)
    assert "Support line of staging" in there.words
    other = await answers(both.stage, "account:staging list older:0m")
    assert "staging · " in other.words
    assert "Support line of staging" in other.words
    assert "prod" not in other.words


async def test_a_line_without_an_account_where_none_is_meant_does_nothing_and_says_so(both: AccountStage) -> None:
    both.ring()
    asked = await answers(both.stage, "list", channel=ABROAD)
    assert "Say which VoIPBIN account" in asked.words
    assert "account:prod, account:staging" in asked.words
    assert "Support line" not in asked.words


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("list account:stagin", "Did you mean /flows account:staging list?"),
        ("list acount:staging", "Did you mean /flows account:staging list?"),
        ("list account:nowhere", "There is no VoIPBIN account “nowhere” here"),
        ("list account: staging", "There is no VoIPBIN account “” here"),
        ("list account:prod account:staging", "One line is about one VoIPBIN account"),
    ],
)
async def test_an_account_that_there_is_not_is_refused_with_what_may_be_meant(
    both: AccountStage, typed: str, said: str
) -> None:
    both.ring()
    asked = await answers(both.stage, typed)
    assert said in asked.words
    assert "Support line" not in asked.words


async def test_a_stop_is_sent_to_its_own_account_only(both: AccountStage) -> None:
    same = both.ring()
    id_ = same["prod"].id
    here = await both.card(f"stop {id_}")
    there = await both.card(f"stop {id_} account:staging")
    assert here.words.startswith("prod · ")
    assert there.words.startswith("staging · ")
    await both.presses(there, of("staging", ids.STOP_FLOW))
    await both.says(there, "staging · ", "Stopped")
    assert both.stopped(same["prod"]) == {"prod": 0, "staging": 1}
    assert both.prod.activeflow(id_).status == "running"
    await both.presses(here, of("prod", ids.STOP_FLOW))
    await both.says(here, "prod · ", "Stopped")
    assert both.stopped(same["prod"]) == {"prod": 1, "staging": 1}


async def test_a_stop_under_way_in_one_account_holds_up_none_in_the_other(both: AccountStage) -> None:
    same = both.ring()
    id_ = same["prod"].id
    here, there = await both.card(f"stop {id_}"), await both.card(f"stop {id_} account:staging")
    point = hold(after_work=True)
    both.prod.faults.on("POST", "/activeflows/{id}/stop", point)
    await both.presses(here, of("prod", ids.STOP_FLOW))
    await point.arrived()
    await both.presses(there, of("staging", ids.STOP_FLOW))
    await both.says(there, "Stopped")
    point.release()
    await both.says(here, "Stopped")
    assert both.stopped(same["prod"]) == {"prod": 1, "staging": 1}


async def test_buttons_lead_to_the_account_that_drew_them_wherever_they_stand(both: AccountStage) -> None:
    same = both.ring()
    listed = await answers(both.stage, "account:staging list")  # in the channel of prod
    await both.stage.slack.clicks(ALICE, listed, of("staging", ids.SHOW))
    shown = await both.stage.reads("What stopping it does")
    assert "Support line of staging" in shown.words
    before = len(both.stage.slack.sees(ALICE, INCIDENTS))
    await both.stage.slack.clicks(ALICE, shown, of("staging", ids.ASK_STOP))
    await both.stage.slack.until(lambda: len(both.stage.slack.sees(ALICE, INCIDENTS)) > before)
    card = both.stage.card()
    assert card.words.startswith("staging · ")
    await both.presses(card, of("staging", ids.STOP_FLOW))
    await both.says(card, "Stopped")
    assert both.stopped(same["prod"]) == {"prod": 0, "staging": 1}


async def test_a_bulk_stop_stops_its_own_accounts_only(both: AccountStage) -> None:
    first = both.ring()
    flow_id = first["prod"].flow_id
    many = [first["prod"], *(both.ring_as(id_, flow_id)["prod"] for id_ in _ids(3))]
    card = await both.card(f"stop all flow:{flow_id} account:staging they loop", user=ALICE)
    assert card.words.startswith("staging · ")
    await both.presses(card, of("staging", ids.BULK_STOP))
    assert "All 4 have ended" in await both.says(card, "Receipt", seconds=60)
    assert [both.stopped(each) for each in many] == [{"prod": 0, "staging": 1}] * 4
    assert all(both.prod.activeflow(each.id).status == "running" for each in many)


async def test_watches_of_the_same_id_follow_their_own(both: AccountStage) -> None:
    same = both.ring(at="talk")
    id_ = same["prod"].id
    here = await answers(both.stage, f"watch {id_}")
    there = await answers(both.stage, f"account:staging watch {id_}")
    assert here.words.startswith("prod · Watching")
    assert there.words.startswith("staging · Watching")
    both.staging.moves_to(same["staging"], "digits_receive")
    await both.says(there, "waiting for keypad input")
    assert "waiting for keypad input" not in await both.says(here, "Watching")
    both.prod.ends(same["prod"])
    await both.says(here, "prod · Ended", "Ended by itself")
    assert "Watching" in await both.says(there, "staging · ")
    done = await answers(both.stage, f"account:staging unwatch {id_}")
    assert done.words.startswith("staging · ")
    await both.says(there, "No longer watched")


async def test_a_watch_does_not_take_another_accounts_stop_for_its_own(both: AccountStage) -> None:
    same = both.ring(at="talk")
    id_ = same["prod"].id
    here = await answers(both.stage, f"watch {id_}")
    card = await both.card(f"account:staging stop {id_}")
    await both.presses(card, of("staging", ids.STOP_FLOW))
    await both.says(card, "Stopped")
    both.prod.caller_hangs_up(same["prod"])
    await both.says(here, "prod · Ended", "This bot did not stop it")


async def test_what_is_permitted_for_one_account_is_not_for_the_other(both: AccountStage) -> None:
    same = both.ring()
    refused = await answers(both.stage, f"stop {same['prod'].id}", user=BOB)
    assert "You don't have permission" in refused.words
    card = await both.card(f"stop {same['prod'].id} account:staging", user=BOB, channel=INCIDENTS)
    own = await both.card(f"stop {same['prod'].id}")
    await both.presses(own, of("prod", ids.STOP_FLOW), user=BOB)
    await both.stage.reads("Nothing was stopped", user=BOB)
    await both.presses(card, of("staging", ids.STOP_FLOW), user=BOB)
    await both.says(card, "Stopped")
    assert both.stopped(same["prod"]) == {"prod": 0, "staging": 1}


async def test_a_grant_that_names_no_account_counts_for_none_of_several(two: AccountStage) -> None:
    unset = f'[[grant]]\nto = ["{ALICE}"]\nmay = ["view"]\n'
    named = f'[[grant]]\nto = ["{BOB}"]\nmay = ["view"]\naccounts = ["prod", "stagin"]\n'
    two.stage.policy.write_text(f"[account.prod]\ndefault = true\n{unset}{named}")
    two.ring()
    async with two.start():
        refused = await answers(two.stage, "list")
        assert "You don't have permission to see activeflows" in refused.words
        assert "Support line" not in refused.words
        told = await answers(two.stage, "doctor", user=BOB)
        assert "1 of 2 grants in force" in told.words
        assert "The settings have no account stagin. Did you mean staging?" in told.words
        assert "No accounts are named in grant 1." in told.words


async def test_records_name_their_account_and_are_read_by_it(both: AccountStage) -> None:
    same = both.ring()
    id_ = same["prod"].id
    card = await both.card(f"stop {id_} account:staging it loops")
    await both.presses(card, of("staging", ids.STOP_FLOW))
    await both.says(card, "Stopped")
    own = await answers(both.stage, f"account:staging audit {id_}")
    assert "it loops" in own.words
    other = await answers(both.stage, f"audit {id_}")
    assert "it loops" not in other.words
    assert "@Carol" not in other.words


async def test_a_reason_that_is_asked_for_goes_to_the_card_that_was_pressed(two: AccountStage) -> None:
    policy, slack = two.stage.policy, two.stage.slack
    policy.write_text(f"{policy.read_text()}\n[rules]\nreason_required = true\n")
    same = two.ring()
    async with two.start():
        card = await two.card(f"stop {same['prod'].id} account:staging")
        await slack.clicks(CAROL, card, of("staging", ids.STOP_FLOW))
        await slack.until(lambda: slack.views_of(CAROL))
        form = slack.views_of(CAROL)[-1]
        assert "staging · " in form.words
        await slack.submits(CAROL, form, {ids.REASON: {ids.REASON: "loops since noon"}})
        await two.says(card, "Stopped", "loops since noon")
    assert two.stopped(same["prod"]) == {"prod": 0, "staging": 1}


async def test_alerts_of_the_same_id_are_told_apart(two: AccountStage) -> None:
    policy = two.stage.policy
    rules = "".join(
        f'\n[[alert]]\nto = "{channel}"\nabout = ["steps"]\naccounts = ["{account}"]\n'
        for account, channel in (("prod", INCIDENTS), ("staging", LOBBY))
    )
    policy.write_text(policy.read_text() + rules)
    id_, flow_id = uuid4(), uuid4()
    for name, world in two.worlds.items():
        world.rings(world.add_flow(f"Support line of {name}", id=flow_id), at="play", executed=["sleep"] * 85, id=id_)
    async with two.start(voipbin_events=True):
        for account, channel in (("prod", INCIDENTS), ("staging", LOBBY)):
            alert = await two.stage.reads("steps", channel=channel)
            assert alert.words.startswith(f"{account} · ")
            assert f"Support line of {account}" in alert.words
            assert {button.action_id for button in alert.buttons} == {of(account, ids.SHOW), of(account, ids.ASK_STOP)}
        assert [len(two.stage.slack.sees(ALICE, channel)) for channel in (INCIDENTS, LOBBY)] == [1, 1]


async def test_an_alert_that_names_no_account_is_posted_for_none(two: AccountStage) -> None:
    policy = two.stage.policy
    policy.write_text(f'{policy.read_text()}\n[[alert]]\nto = "{INCIDENTS}"\nabout = ["steps"]\n')
    policy.write_text(f'{policy.read_text()}\n[[alert]]\nto = "{LOBBY}"\nabout = ["steps"]\naccounts = ["staging"]\n')
    for world in two.worlds.values():
        world.rings(world.add_flow("Support line"), at="play", executed=["sleep"] * 85)
    async with two.start(voipbin_events=True):
        await two.stage.reads("steps", channel=LOBBY)
    assert two.stage.slack.sees(ALICE, INCIDENTS) == []


async def test_the_home_shows_one_account_and_leads_to_the_others(two: AccountStage) -> None:
    slack, policy = two.stage.slack, two.stage.policy
    policy.write_text(policy.read_text().replace(f'in = ["{INCIDENTS}", "{LOBBY}", "{ABROAD}"]', ""))
    two.ring()

    def shows(account: str) -> bool:
        home = slack.home_of(ALICE)
        return home is not None and f"Support line of {account}" in home.words

    async with two.start():
        await slack.opens_home(ALICE)
        await slack.until(lambda: shows("prod"))
        home = slack.home_of(ALICE)
        assert home is not None
        assert home.words.startswith("prod · ")
        await slack.clicks(ALICE, home, of("staging", ids.HOME_REFRESH))
        await slack.until(lambda: shows("staging"))
        assert not shows("prod")


async def test_a_message_is_looked_through_for_the_account_of_its_channel(both: AccountStage) -> None:
    same = both.ring()
    slack = both.stage.slack
    for channel, account in ((INCIDENTS, "prod"), (LOBBY, "staging")):
        message = slack.post(channel, BOB, f"what is {same['prod'].id}?")
        await slack.uses_shortcut(ALICE, message, ids.FIND)
        told = await both.stage.reads("Support line", channel=channel)
        assert f"Support line of {account}" in told.words


async def test_a_mention_and_a_direct_message_are_answered_once_by_the_account_that_is_meant(
    both: AccountStage,
) -> None:
    both.ring()
    slack = both.stage.slack
    for channel, line, account in (
        (INCIDENTS, "list", "prod"),
        (LOBBY, "account:prod list", "prod"),
        (LOBBY, "list", "staging"),
    ):
        before = {message.ts for message in slack.sees(ALICE, channel)}
        await slack.types(ALICE, channel, f"@flows-bot {line}")

        def told(channel: str = channel, before: set[str] = before) -> list[Message]:
            return [one for one in slack.sees(ALICE, channel) if one.ts not in before and one.by_bot]

        await slack.until(told)
        (answer,) = told()
        assert f"Support line of {account}" in answer.words


async def test_a_menu_offers_its_own_account_and_what_is_chosen_is_its_own(both: AccountStage) -> None:
    same, slack = both.ring(), both.stage.slack
    id_ = same["prod"].id
    asked = await answers(both.stage, "stop account:staging")  # in the channel of prod
    offered = await slack.looks_up(ALICE, asked, of("staging", ids.PICK_STOP), "Support")
    assert "Support line of staging" in offered.words
    assert "Support line of prod" not in offered.words
    await slack.chooses(ALICE, asked, of("staging", ids.PICK_STOP), str(id_))
    card = await both.stage.reads("Asked by")
    assert card.words.startswith("staging · ")
    assert "Support line of staging" in card.words


async def test_the_form_of_the_shortcut_says_its_account_and_keeps_to_it(two: AccountStage) -> None:
    same, slack, policy = two.ring(), two.stage.slack, two.stage.policy
    async with two.start():
        await slack.uses_global_shortcut(ALICE, ids.STOP_SHORTCUT, channel=LOBBY)
        await slack.until(lambda: "Say which VoIPBIN account" in slack.dump())
        assert slack.views_of(ALICE) == []
    policy.write_text(policy.read_text().replace("[account.staging]", "[account.staging]\ndefault = true"))
    async with two.start():
        await slack.uses_global_shortcut(ALICE, ids.STOP_SHORTCUT, channel=INCIDENTS)  # the channel of prod
        await slack.until(lambda: slack.views_of(ALICE))
        form = slack.views_of(ALICE)[-1]
        assert "staging · " in form.words
        menu = of("staging", ids.PICK_STOP)
        offered = await slack.looks_up(ALICE, form, menu)
        assert "Support line of staging" in offered.words
        assert "Support line of prod" not in offered.words
        await slack.submits(ALICE, form, {ids.PICK_STOP: {menu: str(same["prod"].id)}})
        card = await two.stage.reads("Asked by")
        await two.presses(card, of("staging", ids.STOP_FLOW))
        await two.says(card, "staging · ", "Stopped")
    assert two.stopped(same["prod"]) == {"prod": 0, "staging": 1}


async def test_a_credential_that_is_refused_makes_its_own_account_useless_and_no_other(two: AccountStage) -> None:
    same = two.ring()
    withdraw(two.staging)
    async with two.start():
        told = await answers(two.stage, "doctor")
        assert "ok · VoIPBIN (prod) · answers" in told.words
        assert "VoIPBIN (staging)" in told.words
        card = await two.card(f"stop {same['prod'].id}")
        await two.presses(card, of("prod", ids.STOP_FLOW))
        await two.says(card, "Stopped")
        async with aiohttp.ClientSession() as session, session.get(f"{two.stage.url}/readyz") as answer:
            assert answer.status == 200
            assert "VoIPBIN (staging)" in await answer.text()
    withdraw(two.prod)
    with pytest.raises(Misconfigured, match="does not accept the credential of prod"):
        async with two.start():
            pass


async def test_two_names_for_one_account_end_the_start(two: AccountStage) -> None:
    settings = two.settings()
    accounts = settings["voipbin_account"]
    assert isinstance(accounts, dict)
    accounts["staging"] = accounts["prod"]
    with pytest.raises(Misconfigured, match="open the same VoIPBIN account"):
        async with two.stage.start(**settings):
            pass


async def test_metrics_name_the_accounts_of_the_settings(both: AccountStage) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{both.stage.url}/metrics") as answer:
        told = await answer.text()
    for account in ("prod", "staging"):
        assert f'flows_bot_voipbin_budget_requests_per_second{{account="{account}"}} 100.0' in told


def _ids(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]
