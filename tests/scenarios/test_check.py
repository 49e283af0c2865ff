"""`flows-bot check` tries what `flows-bot run` does, ends as that would, and leaves nothing behind."""

import json
import socket
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_settings import DotEnvSettingsSource

from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin.world import World
from bot.ledger.database import Database
from bot.settings import Settings
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage
from tests.scenarios.program import Ended, Program

UNKNOWN_FLOW = "11111111-2222-4333-8444-555555555555"


def line(ended: Ended, about: str) -> str:
    (found,) = [line for line in ended.out if line[8:].startswith(f"{about}: ")]
    return found


async def test_a_check_before_the_first_start_creates_nothing(program: Program, enough: Mapping[str, str]) -> None:
    ended = await program("check", **{**enough, "FLOWS_BOT_DATABASE_URL": "sqlite:///flows-bot.db"})
    assert ended.status == 0, ended
    assert line(ended, "ledger") == "ok      ledger: there is none yet; the first start makes it"
    assert line(ended, "port") == "ok      port: free; a signed delivery was taken"
    assert list(program.folder.iterdir()) == []


async def test_every_unknown_id_in_the_policy_is_named_with_its_line(
    program: Program, stage: Stage, enough: Mapping[str, str], slack: Workspace, voipbin: World
) -> None:
    flow = voipbin.add_flow("Support line")
    slack.users[ALICE].deleted = True
    stage.policy.write_text(
        f"""
[[grant]]
to = ["U0BOB", "U0NOBODY",
      "S0NOGROUP", "{ALICE}", "members"]
may = ["view", "stop"]
in = ["{INCIDENTS}", "C0NOWHERE"]
flows = ["{flow.id}", "{UNKNOWN_FLOW}"]

[[alert]]
to = "C0NOALERTS"

[rules]
audit_channel = "C0NOAUDIT"
"""
    )
    slack.scopes |= {"channels:read", "groups:read"}
    ended = await program("check", **enough)
    assert ended.status == 0, ended
    assert line(ended, "policy ids") == (
        "WARNING policy ids: policy.toml:3: U0NOBODY: nobody in this workspace has this id. "
        "policy.toml:4: S0NOGROUP: no enabled user group has this id. "
        f"policy.toml:4: {ALICE}: deactivated. "
        "policy.toml:6: C0NOWHERE: no channel has this id, or it is a private one without the bot. "
        f"policy.toml:7: {UNKNOWN_FLOW}: VoIPBIN has no flow with this id. "
        "policy.toml:10: C0NOALERTS: no channel has this id, or it is a private one without the bot. "
        "policy.toml:13: C0NOAUDIT: no channel has this id, or it is a private one without the bot."
    )


async def test_a_port_of_somebody_else_is_wrong_and_the_start_says_so_too(
    program: Program, enough: Mapping[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        there = {**enough, "FLOWS_BOT_PORT": str(other.getsockname()[1])}
        checked = await program("check", "--json", **there)
    said = json.loads("\n".join(checked.out))
    assert (checked.status, said["ready"], [one["what"] for one in said["missing"]]) == (1, False, ["port"])


async def test_beside_the_running_bot_that_one_is_asked(
    program: Program, bot: Stage, enough: Mapping[str, str]
) -> None:
    there = {**enough, "FLOWS_BOT_PORT": bot.url.rpartition(":")[2]}
    ended = await program("check", **there)
    assert ended.status == 0, ended
    assert "a bot listens there already" in line(ended, "port")
    assert "a signed delivery was taken" in line(ended, "port")
    assert "a bot runs on it already" in line(ended, "ledger")
    ended = await program("check", **{**there, "SLACK_SIGNING_SECRET": "Zq7"})
    assert ended.status == 1
    assert "a signed delivery was not taken (status 401)" in line(ended, "port")


async def test_a_clock_by_which_no_delivery_is_believed_is_wrong(
    program: Program, enough: Mapping[str, str], slack: Workspace
) -> None:
    slack.now = lambda: time.time() + 400
    ended = await program("check", **enough)
    assert ended.status == 1, ended
    assert line(ended, "clock").startswith("WRONG   clock: ")
    assert "behind Slack's; no delivery is believed" in line(ended, "clock")
    socket_mode = {name: value for name, value in enough.items() if name != "SLACK_SIGNING_SECRET"}
    slack.socket_mode = True
    ended = await program("check", **socket_mode, SLACK_APP_TOKEN=slack.app_token)
    assert ended.status == 0, ended
    assert line(ended, "clock").startswith("WARNING clock: ")


async def test_a_ledger_that_cannot_be_made_is_wrong(program: Program, enough: Mapping[str, str]) -> None:
    ended = await program("check", **{**enough, "FLOWS_BOT_DATABASE_URL": "sqlite:////nowhere/Zq7/flows.db"})
    assert ended.status == 1, ended
    assert line(ended, "ledger").startswith("WRONG   ledger: FLOWS_BOT_DATABASE_URL: no file can be made there")


async def test_an_audit_that_somebody_cut_ends_no_start(
    program: Program, enough: Mapping[str, str], sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    await database.prepare()
    await database.close()
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as file:
        file.execute("INSERT INTO heads (day, seq, hash) VALUES ('2026-08-20', 7, 'abcdefabcdef')")
    file.close()
    ended = await program("check", "--json", **enough)
    said = json.loads("\n".join(ended.out))
    assert (ended.status, said["ready"]) == (0, True), ended
    assert "ledger" in [one["what"] for one in said["warnings"]]


async def test_what_a_rehearsal_makes_is_taken_back(database: Database) -> None:
    """(On both databases; this one has its tables already.)"""
    assert await database.rehearse() is True


async def test_a_rehearsal_leaves_an_empty_database_empty(empty_postgresql_url: str) -> None:
    database = Database(empty_postgresql_url)
    try:
        assert await database.rehearse() is False
        assert await database.rehearse() is False
    finally:
        await database.close()


async def test_the_ledgers_address_can_stand_in_a_file(program: Program) -> None:
    url = f"sqlite:///{program.folder}/elsewhere.db"
    database = Database(url)
    await database.prepare()
    await database.close()
    (program.folder / "url").write_text(f"{url}\n", encoding="utf-8")
    ended = await program("audit", "verify", FLOWS_BOT_DATABASE_URL_FILE="url")
    assert (ended.status, ended.err) == (0, []), ended
    ended = await program("audit", "verify", FLOWS_BOT_DATABASE_URL_FILE="url", FLOWS_BOT_DATABASE_URL=url)
    assert ended.status == 2
    assert ended.err == ["FLOWS_BOT_DATABASE_URL and FLOWS_BOT_DATABASE_URL_FILE are both set: use one."]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a#b", "a#b"),
        ("a # b", "a"),
        ("'a # b'", "a # b"),
        ('"a\\"b"', 'a"b'),
        ("${FLOWS_BOT_COMMAND}x", "/flowsx"),
        ("'${FLOWS_BOT_COMMAND}x'", "/flowsx"),
        ("a$b", "a$b"),
    ],
)
def test_the_example_says_how_its_format_is_read(written: str, read: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"FLOWS_BOT_COMMAND=/flows\nVOIPBIN_PASSWORD={written}\n", encoding="utf-8")
    assert DotEnvSettingsSource(Settings, env_file=file).env_vars["voipbin_password"] == read
