"""*Reveal*: caller and texts in full, to one person who may, on the record, and nowhere else."""

import logging
import sqlite3
from pathlib import Path

import pytest

from bot.demo.slack import faults as slack_faults
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults as voipbin_faults
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World
from bot.slack import ids
from tests.scenarios.again import triggered_anew
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, LOBBY, Stage
from tests.scenarios.typing_at import answers

CALLER, DESK = "+15550109876", "+15550100002"
SPOKEN, NOW_SPEAKING = "Dear Mrs Example, your results are here.", "Your appointment is on Friday."
PERSONAL = ("5550109876", "109876", "Mrs Example", "appointment is on Friday")
REVEALER = f'\n[[grant]]\nto = ["{CAROL}"]\nmay = ["reveal", "audit"]\nin = ["{INCIDENTS}"]\n'


@pytest.fixture
def policy(policy: Path) -> Path:
    """As ever, and Carol may reveal in the incident channel."""
    policy.write_text(policy.read_text(encoding="utf-8") + REVEALER, encoding="utf-8")
    return policy


@pytest.fixture
def activeflow(voipbin: World) -> Activeflow:
    speaking = Step("talk", {"language": "en-GB", "text": NOW_SPEAKING})
    steps = [Step("answer"), Step("talk", {"language": "en-GB", "text": SPOKEN}), speaking]
    flow = voipbin.add_flow("Support line", steps)
    return voipbin.rings(flow, at=speaking, executed=["answer", steps[1]], source=CALLER, destination=DESK)


async def pressed(bot: Stage, user: str, message: Message) -> Message:
    """The newest message of this person after their press."""
    seen = {m.ts for m in bot.slack.sees(user, message.channel)}
    delivery = await bot.slack.clicks(user, message, ids.REVEAL)
    assert delivery.error is None
    found = await bot.slack.until(
        lambda: next((m for m in reversed(bot.slack.sees(user, message.channel)) if _is_answer(m, seen)), None)
    )
    assert isinstance(found, Message)
    return found


def _is_answer(message: Message, seen: set[str]) -> bool:
    return message.ts not in seen and not message.words.startswith("Still working on it")


def record_of(url: str) -> list[str]:
    """The bodies of the audit, read by somebody else than the bot."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    bodies = [body for (body,) in connection.execute("SELECT body FROM audit ORDER BY seq")]
    connection.close()
    return bodies


async def test_caller_called_and_texts_are_shown_to_the_presser_alone_and_recorded(
    bot: Stage, slack: Workspace, activeflow: Activeflow, sqlite_url: str
) -> None:
    shown = await pressed(bot, CAROL, await answers(bot, f"show {activeflow.id}", user=CAROL))
    for words in (
        CALLER,
        DESK,
        SPOKEN,
        f"Speaking now: {NOW_SPEAKING}",
        "Only you see this",
        "recorded with your name",
    ):
        assert words in shown.words, words
    assert shown.ephemeral_to == CAROL
    assert all(m.ts != shown.ts for m in slack.sees(ALICE, INCIDENTS))
    newest = record_of(sqlite_url)[-1]
    assert '"what":"revealed"' in newest
    assert f'"who":"{CAROL}"' in newest
    assert '"shown":"caller, called party, 2 texts"' in newest
    audit = await answers(bot, "audit", user=CAROL)
    assert "@Carol was shown unmasked: caller, called party, 2 texts: allowed by grant 3" in audit.words


async def test_number_and_texts_are_nowhere_else(
    bot: Stage,
    slack: Workspace,
    activeflow: Activeflow,
    sqlite_url: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    details = await answers(bot, f"show {activeflow.id}", user=CAROL)
    shown = await pressed(bot, CAROL, details)
    await bot.asks_to_stop(activeflow)
    await answers(bot, "list")
    await answers(bot, "audit", user=CAROL)
    revealing = [seen for seen in slack.responses if seen.ts == shown.ts]
    assert len(revealing) == 1
    assert CALLER in repr(revealing), "or this test finds nothing anywhere"
    assert (revealing[0].user, revealing[0].body["response_type"]) == (CAROL, "ephemeral")
    told = [repr(seen) for seen in slack.responses if seen is not revealing[0]] + [repr(call) for call in slack.calls]
    deliveries = [f"{seen.body!r}{seen.answer!r}" for seen in slack.deliveries]
    files = [path.read_bytes().decode(errors="replace") for path in _files(sqlite_url)]
    logged = [caplog.text, "".join(capsys.readouterr())]
    assert len(files[0]) > 1000
    found = [
        (word, place[:200]) for place in (*told, *deliveries, *files, *logged) for word in PERSONAL if word in place
    ]
    assert found == []


def _files(url: str) -> list[Path]:
    database = Path(url.removeprefix("sqlite:///"))
    return sorted(database.parent.glob(f"{database.name}*"))


async def test_whoever_may_not_sees_no_button_and_a_press_all_the_same_is_refused_and_recorded(
    bot: Stage, slack: Workspace, voipbin: World, activeflow: Activeflow, sqlite_url: str
) -> None:
    details = await answers(bot, f"show {activeflow.id}")
    assert ids.REVEAL not in {button.action_id for button in details.buttons}
    elsewhere = await answers(bot, f"show {activeflow.id}", user=CAROL, channel=LOBBY)
    assert ids.REVEAL not in {button.action_id for button in elsewhere.buttons}
    carols = await answers(bot, f"show {activeflow.id}", user=CAROL)
    bot.policy.write_text(bot.policy.read_text(encoding="utf-8").replace('"reveal", ', ""), encoding="utf-8")
    await slack.until(lambda: len(record_of(sqlite_url)) == 2)
    asked = len(voipbin.requests)
    shown = await pressed(bot, CAROL, carols)
    assert len(voipbin.requests) == asked, "nothing was even read"
    assert "You can't see unmasked numbers: the policy gives nobody “reveal”" in shown.words
    assert not [word for word in PERSONAL if word in shown.words]
    newest = record_of(sqlite_url)[-1]
    assert '"what":"refused"' in newest
    assert '"wanted":"reveal"' in newest


async def test_without_a_ledger_nothing_is_shown(
    stage: Stage, slack: Workspace, activeflow: Activeflow, sqlite_url: str
) -> None:
    async with stage.start():
        details = await answers(stage, f"show {activeflow.id}", user=CAROL)
        connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
        connection.execute("ALTER TABLE audit RENAME TO lost")
        connection.commit()
        connection.close()
        shown = await pressed(stage, CAROL, details)
        assert "could not be recorded, so nothing is shown" in shown.words
        assert not [word for word in PERSONAL if any(word in repr(seen) for seen in slack.responses)]


async def test_when_slack_takes_no_fleeting_message_it_is_shown_nowhere_and_said(
    bot: Stage, slack: Workspace, activeflow: Activeflow
) -> None:
    details = await answers(bot, f"show {activeflow.id}", user=CAROL)
    slack.faults.on("response_url", slack_faults.status(404), times=1)
    slack.faults.on("chat.postEphemeral", slack_faults.error("user_not_in_channel"), times=1)
    shown = await pressed(bot, CAROL, details)
    assert "I could not show it to you alone, so nothing was shown" in shown.words
    assert not [call for call in slack.calls if call.method == "chat.postMessage"]


async def test_the_same_press_twice_is_one_record(
    bot: Stage, slack: Workspace, activeflow: Activeflow, sqlite_url: str
) -> None:
    await pressed(bot, CAROL, await answers(bot, f"show {activeflow.id}", user=CAROL))
    first = slack.deliveries[-1]
    shown = len(slack.responses)
    again = triggered_anew(first.body)
    await slack.delivers(again, slack.signed(again))
    await slack.until(lambda: len(slack.responses) > shown)
    assert sum('"what":"revealed"' in body for body in record_of(sqlite_url)) == 1


async def test_a_press_in_a_message_that_others_see_shows_nothing(
    bot: Stage, slack: Workspace, activeflow: Activeflow
) -> None:
    details = await answers(bot, f"show {activeflow.id}", user=CAROL)
    await slack.clicks(CAROL, details, ids.REVEAL)
    await bot.reads("Only you see this", user=CAROL)
    body = triggered_anew(slack.deliveries[-1].body)
    public = body.replace(b"is_ephemeral%22%3A+true", b"is_ephemeral%22%3A+false")
    assert public != body
    await slack.delivers(public, slack.signed(public))
    assert (
        "Reveal works only in a message that only you see" in (await bot.reads("Nothing was shown", user=CAROL)).words
    )


async def test_an_activeflow_without_a_call_and_without_texts_says_so(bot: Stage, voipbin: World) -> None:
    flow = voipbin.add_flow("Reminders", [Step("sleep", {"duration": 1000})])
    activeflow = voipbin.rings(flow, at="sleep", reference_type="campaign")
    shown = await pressed(bot, CAROL, await answers(bot, f"show {activeflow.id}", user=CAROL))
    assert "It runs for no call." in shown.words
    assert "None of its steps speaks a text" in shown.words


async def test_when_voipbin_does_not_answer_nothing_is_recorded_as_shown(
    bot: Stage, voipbin: World, activeflow: Activeflow, sqlite_url: str
) -> None:
    details = await answers(bot, f"show {activeflow.id}", user=CAROL)
    voipbin.faults.on("GET", "/calls/{id}", voipbin_faults.status(500, "INTERNAL"), times=None)
    shown = await pressed(bot, CAROL, details)
    assert "VoIPBIN had an error of its own" in shown.words
    assert not [body for body in record_of(sqlite_url) if '"what":"revealed"' in body]


async def test_a_viewer_is_told_what_revealing_takes(bot: Stage) -> None:
    assert "reveal: no" in (await answers(bot, "whoami", user=BOB)).words
