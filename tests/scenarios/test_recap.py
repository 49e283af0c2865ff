"""`/flows recap`: what a channel did in some hours, for the incident's thread and for the post-mortem."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.activeflows.alerting.decision import AlertClaim, StoredAlertClaim
from bot.activeflows.anomalies import Reason
from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.ledger.alert_store import AlertStore
from bot.ledger.database import Database
from bot.slack import ids
from tests.scenarios.conftest import ALICE, BOB, CAROL, INCIDENTS, LOBBY, Stage
from tests.scenarios.test_audit import AUDITOR
from tests.scenarios.test_policy_reload import policies
from tests.scenarios.typing_at import answers, presses, said_in_the_end

NUMBER = "+1 555 010 7731"


@pytest.fixture
def policy(policy: Path) -> Path:
    """As ever, and Bob may read the audit."""
    policy.write_text(policy.read_text(encoding="utf-8") + AUDITOR, encoding="utf-8")
    return policy


async def incident(bot: Stage, slack: Workspace, voipbin: World) -> tuple[Activeflow, Activeflow]:
    """One is stopped, after Bob was refused; one is only asked for, with a number in its reason."""
    stopped = voipbin.rings(voipbin.add_flow("Night menu"), at="play")
    card = await bot.asks_to_stop(stopped, words="=it loops")
    await slack.clicks(BOB, card, ids.STOP_FLOW)
    await bot.reads("You can't stop this", user=BOB)
    await slack.clicks(CAROL, card, ids.STOP_FLOW)
    await bot.reads("Receipt")
    asked = voipbin.rings(voipbin.add_flow("Support line"), at="play")
    await bot.asks_to_stop(asked, words=f"call {NUMBER} back")
    return stopped, asked


async def posted(bot: Stage, preview: Message) -> Message:
    """The recap that everybody sees, after Bob's press."""
    await presses(bot, BOB, preview, ids.RECAP_POST)
    return await bot.reads("Posted by @Bob")


async def test_it_is_seen_by_the_asker_first_and_posted_with_its_files_after_a_press(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    stopped, asked = await incident(bot, slack, voipbin)
    preview = await answers(bot, "recap since:1h", user=BOB)
    assert preview.ephemeral_to == BOB
    assert not slack.uploads
    for words in (
        "Pressed (1)",
        f"Night menu · {str(stopped.id)[:8]} · @Carol pressed Stop flow, asked for by @Alice: allowed by grant 1 → ended,",
        "→ ended, by this press · reason: “=it loops”",
        "Asked, not pressed (1)",
        f"Support line · {str(asked.id)[:8]} · @Alice asked to stop: allowed by grant 1",
        "Refused (1)",
        "@Bob refused: no “stop” permission",
    ):
        assert words in preview.words, words
    shown = await posted(bot, preview)
    assert shown.ephemeral_to is None
    assert slack.message(INCIDENTS, preview.ts).words == "Posted, with two files."
    (files,) = [m for m in slack.sees(ALICE, INCIDENTS) if m.files]
    assert (files.thread_ts, [file["name"] for file in files.files]) == (shown.ts, ["recap.md", "recap.csv"])
    table = next(each.content or b"" for each in slack.uploads.values() if each.name == "recap.csv").decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["kind"], row["who"], row["flow"]) for row in rows] == [
        ("refused", BOB, "Night menu"),
        ("pressed", CAROL, "Night menu"),
        ("asked", ALICE, "Support line"),
    ]
    assert rows[1]["activeflow"] == str(stopped.id)
    assert rows[1]["reason"] == "'=it loops"
    markdown = next(each.content or b"" for each in slack.uploads.values() if each.name == "recap.md").decode()
    assert "| pressed | U0CAROL | pressed Stop flow, asked for by U0ALICE: allowed by grant 1 → ended" in markdown


async def test_no_number_that_somebody_typed_is_in_it(bot: Stage, slack: Workspace, voipbin: World) -> None:
    await incident(bot, slack, voipbin)
    await answers(bot, f"find {NUMBER}", user=ALICE)
    shown = await posted(bot, await answers(bot, "recap", user=BOB))
    assert "(a reason with a phone number is left out)" in shown.words
    said = [shown.text, shown.words, *((each.content or b"").decode() for each in slack.uploads.values())]
    for text in said:
        assert "7731" not in text
        assert "looked for" not in text


async def test_it_takes_the_audit_permission_when_read_and_when_posted(
    bot: Stage, slack: Workspace, voipbin: World, sqlite_url: str
) -> None:
    await incident(bot, slack, voipbin)
    assert "You don't have permission" in (await answers(bot, "recap")).words
    preview = await answers(bot, "recap", user=BOB)
    seen = {message.ts for message in slack.sees(BOB, INCIDENTS)}
    bot.policy.write_text(bot.policy.read_text(encoding="utf-8").replace(AUDITOR, ""), encoding="utf-8")
    await slack.until(lambda: len(policies(sqlite_url)) == 2)
    await slack.clicks(BOB, preview, ids.RECAP_POST)
    refused = await said_in_the_end(bot, BOB, INCIDENTS, seen)
    assert "You can't read everybody’s records" in refused.words
    assert not slack.uploads


async def test_without_the_scope_it_is_posted_without_files_and_that_is_said(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    slack.scopes.discard("files:write")
    await incident(bot, slack, voipbin)
    preview = await answers(bot, "recap", user=BOB)
    await posted(bot, preview)
    said = slack.message(INCIDENTS, preview.ts).words
    assert said == "Posted. The files are left out: the app needs the scope files:write."
    assert not slack.uploads


async def test_in_a_thread_it_is_posted_there(bot: Stage, slack: Workspace, voipbin: World) -> None:
    await incident(bot, slack, voipbin)
    top = slack.post(INCIDENTS, ALICE, "Calls hang.")
    slack.post(INCIDENTS, ALICE, "Looking.", thread_ts=top.ts)
    seen = {message.ts for message in slack.sees(BOB, INCIDENTS)}
    await slack.types(BOB, INCIDENTS, "@flows-bot recap", thread_ts=top.ts)
    await slack.until(lambda: [m for m in slack.sees(BOB, INCIDENTS) if m.ephemeral_to == BOB and m.ts not in seen])
    preview = next(m for m in slack.sees(BOB, INCIDENTS) if m.ephemeral_to == BOB and m.ts not in seen)
    assert preview.buttons[0].label == "Post in the thread"
    assert (await posted(bot, preview)).thread_ts == top.ts
    (files,) = [m for m in slack.sees(ALICE, INCIDENTS) if m.files]
    assert files.thread_ts == top.ts


async def test_another_channel_has_another_recap_and_an_empty_one_is_said(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    await incident(bot, slack, voipbin)
    empty = await answers(bot, "recap", user=BOB, channel=LOBBY)
    assert "Nothing to recap: nobody stopped or asked anything in #lobby" in empty.words
    assert not empty.buttons
    assert "Recap takes a duration, like since:2h" in (await answers(bot, "recap yesterday", user=BOB)).words


async def test_alerts_that_were_posted_here_are_in_it(stage: Stage, voipbin: World, sqlite_url: str) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Night menu"), at="play")
    database = Database(sqlite_url)
    await database.prepare()
    store, now = AlertStore(database, "before"), datetime.now(UTC)
    assert await store.hold()
    for channel in (INCIDENTS, LOBBY):
        claim = AlertClaim(activeflow.id, Reason.LOOPING, channel)
        await store.claim(StoredAlertClaim(claim, f"{channel}:1", now))
        await store.told([claim], now)
    await store.release()
    await database.close()
    async with stage.start():
        recap = await answers(stage, "recap", user=BOB)
        assert "Alerts (1)" in recap.words
        assert f"Going round in circles · {str(activeflow.id)[:8]}" in recap.words
