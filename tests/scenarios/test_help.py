"""`/flows`, `/flows help`, `/flows whoami`, `/flows audit`: what can be done here, by whom, and what was done."""

import pytest

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, BOB, CAROL, GUEST, LOBBY, Stage
from tests.scenarios.typing_at import answers

AUDITOR = '\n[[grant]]\nto = ["U0BOB"]\nmay = ["audit"]\n'


@pytest.mark.parametrize("typed", ["", "help", "HELP", "help whatever"])
async def test_help_says_what_can_be_done_here(bot: Stage, typed: str) -> None:
    answer = await answers(bot, typed)
    assert answer.ephemeral_to == ALICE
    for line in (
        "/flows list older:10m  Shows the running activeflows. What is wrong comes first, then the oldest.",
        "/flows stop 3c5b0f6e it loops  Posts a stop card here.",
        "/flows whoami",
        "/flows help stop",
    ):
        assert line in answer.words
    assert "No permission here: stop all, recap." in answer.words


async def test_help_on_one_command_says_more_about_it(bot: Stage) -> None:
    answer = await answers(bot, "help stop")
    for words in (
        "/flows stop [<id> [now] [reason]]",
        "Without an id, you choose from what runs",
        "With “now” it doesn’t.",
        "Example: /flows stop 3c5b0f6e it loops",
    ):
        assert words in answer.words
    refused = await answers(bot, "help stop all")
    assert "/flows stop all <filters> [reason]" in refused.words
    assert "No permission here: stop all." in refused.words


async def test_help_leaves_out_what_somebody_may_not_do_and_says_whom_to_ask(bot: Stage) -> None:
    answer = await answers(bot, "help", user=BOB)
    assert "/flows stop" not in answer.words
    assert "No permission here: stop, stop all, recap." in answer.words
    assert "@Alice" in answer.words


async def test_an_unknown_word_gets_a_suggestion_and_nothing_is_done(bot: Stage, voipbin: World) -> None:
    seen = len(voipbin.requests)
    answer = await answers(bot, "kill 3c5b0f6e")
    assert "Did you mean /flows stop 3c5b0f6e?" in answer.words
    assert "Nothing was done" in answer.words
    assert len(voipbin.requests) == seen


@pytest.mark.parametrize(
    ("user", "channel", "said"),
    [
        (ALICE, "C0INCIDENTS", ["a full member", "view: yes, allowed by grant 1", "stop: yes, allowed by grant 1"]),
        (CAROL, "C0INCIDENTS", ["stop: yes, allowed by grant 1", "@oncall"]),
        (
            ALICE,
            LOBBY,
            ["view: yes, allowed by grant 2", "stop: no. Not from this channel (grant 1 would allow “stop” elsewhere)"],
        ),
        (BOB, "C0INCIDENTS", ["stop: no. No “stop” permission", "You can ask", "@Alice"]),
        (GUEST, "C0INCIDENTS", ["a guest", "view: no. This account is a guest"]),
    ],
)
async def test_whoami_names_the_grant_that_gives_or_would_give(
    bot: Stage, user: str, channel: str, said: list[str]
) -> None:
    answer = await answers(bot, "whoami", user=user, channel=channel)
    assert answer.ephemeral_to == user
    for words in said:
        assert words in answer.words, answer.words


async def test_somebody_who_leaves_the_group_is_out_at_once(bot: Stage, slack: Workspace) -> None:
    assert "stop: yes" in (await answers(bot, "whoami", user=CAROL)).words
    slack.groups["S0ONCALL"].members.remove(CAROL)
    await slack.tells({"type": "subteam_members_changed", "subteam_id": "S0ONCALL"})
    assert "stop: no" in (await answers(bot, "whoami", user=CAROL)).words


async def test_the_audit_finds_by_activeflow_person_and_time_for_whoever_may_read_it(
    stage: Stage, voipbin: World
) -> None:
    stage.policy.write_text(stage.policy.read_text(encoding="utf-8") + AUDITOR, encoding="utf-8")
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    async with stage.start():
        await stage.asks_to_stop(activeflow, words="it loops")
        for asked in ("audit all", f"audit {str(activeflow.id)[:10]}", "audit all @Alice", "audit all since:1h"):
            answer = await answers(stage, asked, user=BOB)
            assert answer.ephemeral_to == BOB
            for words in ("@Alice asked to stop", str(activeflow.id)[:8], "#incidents", "it loops"):
                assert words in answer.words
        for asked in ("audit me", "audit 0000", "audit @Carol"):
            assert "asked to stop" not in (await answers(stage, asked, user=BOB)).words
        assert "member ID" in (await answers(stage, "audit @alicia", user=BOB)).words
