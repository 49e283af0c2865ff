"""The program as one starts it: what it says, where, and how it ends."""

import asyncio
import json
import re
import signal
import sqlite3
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from uuid import UUID

import pytest
import yaml

from bot.activeflows.records import Record, RecordKind
from bot.ledger.database import Database
from bot.ledger.stop_store import StopStore
from tests.scenarios.conftest import Stage
from tests.scenarios.program import Program

NOW = datetime(2026, 8, 20, 3, 0, tzinfo=UTC)


# ---------------------------------------------------------------- the words after the name


async def test_without_words_it_says_what_it_can_do(program: Program) -> None:
    ended = await program()
    assert ended.status == 0
    words = " ".join(ended.out).split()  # however narrow the terminal is
    assert {"run", "demo", "check", "audit", "policy"} <= set(words)
    assert "Try the whole bot in a browser" in " ".join(words)


async def test_an_unknown_word_is_refused(program: Program) -> None:
    ended = await program("fly")
    assert ended.status == 2
    assert any("fly" in line for line in ended.err)


# ---------------------------------------------------------------- wrong configuration


@pytest.mark.parametrize("command", ["run", "check"])
async def test_wrong_configuration_is_said_line_by_line_without_a_value(program: Program, command: str) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "Zq7-token",
        "SLACK_SIGNING_SECRET": "Zq7 secret",
        "VOIPBIN_API_URL": "https://[Zq7/v1.0",
        "VOIPBIN_USERNAME": "Zq7@example.com",
        "FLOWS_BOT_POLICY": "/Zq7/policy.toml",
        "FLOWS_BOT_PORT": "Zq7",
        "FLOWS_BOT_DATABASE_URL": "mysql://Zq7:Zq7@db/flows",
    }
    ended = await program(command, **wrong)
    assert ended.status == 2
    assert ended.out == []
    assert [line.partition(":")[0].partition(" ")[0].rstrip(",") for line in ended.err] == [
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "VOIPBIN_API_URL",
        "VOIPBIN_ACCESS_KEY",
        "FLOWS_BOT_DATABASE_URL",
        "FLOWS_BOT_POLICY",
        "FLOWS_BOT_PORT",
    ]
    assert "Zq7" not in "".join(ended.err)


async def test_mistakes_in_the_policy_are_said_line_by_line(
    program: Program, stage: Stage, enough: Mapping[str, str]
) -> None:
    stage.policy.write_text('[[grant]]\nto = ["@alice"]\nmay = ["stopp"]\n[rule]\n', encoding="utf-8")
    ended = await program("run", **enough)
    assert ended.status == 2
    assert [re.sub(r"^policy\.toml:(\d+:)? ", "", line) for line in ended.err] == [
        'grant 1, to, entry 1 must be an id: a user (U…), a user group (S…) or "members"; names can be faked.',
        "grant 1, may, entry 1 must be one of 'view', 'stop', 'bulk', 'approve', 'reveal' or 'audit'.",
        "rule is nothing that a policy can say.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("SLACK_API_URL", "http://127.0.0.1:9/api/", "Slack"),
        ("SLACK_BOT_TOKEN", "xoxb-Zq7", "Slack"),
        ("VOIPBIN_ACCESS_KEY", "vb_Zq7Zq7Zq7", "VoIPBIN does not accept the credential"),
        ("FLOWS_BOT_DATABASE_URL", "sqlite:////nowhere/Zq7/flows.db", "FLOWS_BOT_DATABASE_URL: "),
        ("FLOWS_BOT_DATABASE_URL", "postgresql://me:Zq7@127.0.0.1:9/flows", "FLOWS_BOT_DATABASE_URL: "),
        ("FLOWS_BOT_DATABASE_URL", "postgresql://me:Zq7@127.0.0.1:Zq7/flows", "FLOWS_BOT_DATABASE_URL: "),
        (
            "FLOWS_BOT_HOST",
            "192.0.2.7",
            "FLOWS_BOT_HOST and FLOWS_BOT_PORT: cannot listen there (Cannot assign requested address).",
        ),
    ],
)
async def test_what_the_configuration_points_at_is_wrong_and_that_is_one_line(
    program: Program, enough: Mapping[str, str], name: str, value: str, line: str
) -> None:
    ended = await program("run", **{**enough, name: value})
    assert ended.status == 2, ended
    told = [said for said in ended.err if not said.startswith("20")]  # what is logged begins with the time
    assert len(told) == 1, ended.err
    assert told[0].startswith(line)
    assert told[0].endswith(".")
    assert "Zq7" not in "".join(ended.err)
    assert ended.out == []


# ---------------------------------------------------------------- run and check


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
async def test_it_runs_until_it_is_told_to_end(
    program: Program, enough: Mapping[str, str], how: signal.Signals
) -> None:
    process = await program.start("run", **enough)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        said = b""
        while b"ready" not in said:
            line = await process.stderr.readline()
            assert line, said
            said += line
    process.send_signal(how)
    out, rest = await process.communicate()
    assert process.returncode == 0, rest
    assert b"Traceback" not in said + rest
    assert out == b""
    assert all(
        secret not in (said + rest).decode() for name, secret in enough.items() if "_KEY" in name or "SLACK_S" in name
    )


async def test_check_says_that_all_is_well(program: Program, enough: Mapping[str, str]) -> None:
    ended = await program("check", **enough)
    assert ended.status == 0, ended
    assert [line.split(":")[0] for line in ended.out] == [
        f"ok      {part}"
        for part in [
            "Slack",
            "environment",
            "clock",
            "VoIPBIN",
            "credential",
            "files",
            "ledger",
            "policy",
            "policy ids",
            "port",
        ]
    ]


async def test_check_says_what_is_wrong_and_ends_with_one(program: Program, enough: Mapping[str, str]) -> None:
    ended = await program("check", **{**enough, "VOIPBIN_API_URL": "http://127.0.0.1:9/v1.0"})
    assert ended.status == 1, ended
    assert [line for line in ended.out if line.startswith("WRONG   VoIPBIN: VoIPBIN cannot be reached")]
    assert [line for line in ended.out if line.startswith("ok      ledger: ")]
    assert not any("Traceback" in line for line in ended.err)


# ---------------------------------------------------------------- the audit


@pytest.fixture
async def ledger(sqlite_url: str) -> str:
    """A ledger with three records; its URL."""
    database = Database(sqlite_url)
    await database.prepare()
    book = StopStore(database, now=lambda: NOW)
    for number, what in enumerate((RecordKind.ASKED, RecordKind.PRESSED, RecordKind.SENDING)):
        await book.record(Record(f"k{number}", NOW, what, "U0ALICE", "C0INC", UUID(int=7), reason="Schleife ü"))
    await database.close()
    return sqlite_url


def changed(url: str, statement: str) -> None:
    """Somebody with the file in hand."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute(statement)
    connection.commit()
    connection.close()


async def test_an_untouched_chain_is_verified(program: Program, ledger: str) -> None:
    ended = await program("audit", "verify", FLOWS_BOT_DATABASE_URL=ledger)
    assert (ended.status, ended.err) == (0, [])
    (line,) = ended.out
    assert line.startswith("3 records, 0 flaws, newest receipt ")


@pytest.mark.parametrize(
    ("statement", "flaw"),
    [
        (
            "UPDATE audit SET body = replace(body, 'U0ALICE', 'U0BOB') WHERE seq = 2",
            "record 2: was changed after it was written",
        ),
        (
            "UPDATE audit SET who = 'U0BOB' WHERE seq = 2",
            "record 2: its search columns were changed after it was written",
        ),
        ("DELETE FROM audit WHERE seq = 2", "record 3: record 2 is missing before this one"),
    ],
)
async def test_a_record_that_was_touched_is_named(program: Program, ledger: str, statement: str, flaw: str) -> None:
    changed(ledger, statement)
    ended = await program("audit", "verify", FLOWS_BOT_DATABASE_URL=ledger)
    assert (ended.status, ended.err) == (1, [])
    assert ended.out[0] == flaw
    assert "1 flaw" in ended.out[-1]


async def test_the_export_is_one_object_a_line_oldest_first(program: Program, ledger: str) -> None:
    ended = await program("audit", "export", FLOWS_BOT_DATABASE_URL=ledger)
    assert (ended.status, ended.err) == (0, [])
    rows = [json.loads(line) for line in ended.out]
    assert [(row["seq"], row["what"], row["who"]) for row in rows] == [
        (1, "asked", "U0ALICE"),
        (2, "pressed", "U0ALICE"),
        (3, "sending", "U0ALICE"),
    ]
    assert rows[0]["reason"] == "Schleife ü"
    assert [row["previous"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("verify", "sqlite:////nowhere/Zq7.db"),
        ("verify", "sqlite:///no-ledger-Zq7.txt"),
        ("verify", "sqlite:///empty-Zq7.db"),
        ("verify", "postgresql://me:Zq7@127.0.0.1:9/flows"),
        ("verify", "postgresql://me:Zq7@127.0.0.1:Zq7/flows"),
        ("verify", "mysql://me:Zq7@db/flows"),
        ("verify", "Zq7"),
        ("export", "sqlite:////nowhere/Zq7.db"),
        ("export", "sqlite:///empty-Zq7.db"),
    ],
)
async def test_without_a_ledger_there_is_one_line_and_nothing_is_created(program: Program, word: str, url: str) -> None:
    (program.folder / "no-ledger-Zq7.txt").write_text(
        "A shopping list, much longer than the header of a database. " * 9
    )
    (program.folder / "empty-Zq7.db").touch()
    before = sorted(path.name for path in program.folder.iterdir())
    ended = await program("audit", word, FLOWS_BOT_DATABASE_URL=url)
    assert ended.status == 2, ended
    assert ended.out == []
    assert len(ended.err) == 1, ended.err
    assert ended.err[0].startswith("FLOWS_BOT_DATABASE_URL: ")
    assert "Zq7" not in ended.err[0]
    assert sorted(path.name for path in program.folder.iterdir()) == before


# ---------------------------------------------------------------- version, manifest, slips of the keyboard


async def test_it_says_its_version_and_how_it_ends(program: Program) -> None:
    ended = await program("--version")
    assert (ended.status, ended.out, ended.err) == (0, [f"flows-bot {version('flows-bot')}"], [])
    helped = " ".join(" ".join((await program("--help")).out).split())
    assert "0 when all is well, 1 when something is wrong, 2 when the configuration" in helped
    assert "--version" in helped
    assert "--no-version" not in helped


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_shell_is_taught_to_complete_every_command(program: Program, shell: str) -> None:
    ended = await program("completion", shell)
    assert (ended.status, ended.err) == (0, [])
    assert {"check", "audit", "verify", "manifest", "completion"} <= set(re.findall(r"\w+", "\n".join(ended.out)))


async def test_bash_completes_with_it(program: Program) -> None:
    ended = await program("completion", "bash")
    words = "COMP_WORDS=(flows-bot aud); COMP_CWORD=1; _shtab_flows_bot flows-bot aud flows-bot; echo ${COMPREPLY[@]}"
    bash = await asyncio.create_subprocess_exec(
        "bash", "--norc", "-c", "\n".join([*ended.out, words]), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await bash.communicate()
    assert out.decode().split() == ["audit"]


async def test_help_loads_neither_the_database_nor_slack() -> None:
    loaded = "import sys, bot.command_line; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    python = await asyncio.create_subprocess_exec(sys.executable, "-c", loaded, stdout=asyncio.subprocess.PIPE)
    out, _ = await python.communicate()
    assert not {"sqlalchemy", "slack_sdk", "aiohttp", "httpx", "structlog", "dbos"} & set(out.decode().split())


@pytest.mark.parametrize(
    ("options", "socket", "address"),
    [
        ((), True, None),
        (("--socket",), True, None),
        (("--url", "https://bot.example.com/"), False, "https://bot.example.com/slack/events"),
    ],
)
async def test_it_prints_the_manifest_of_this_installation(
    program: Program, options: tuple[str, ...], socket: bool, address: str | None
) -> None:
    ended = await program("manifest", "--command", "/calls", *options)
    assert (ended.status, ended.err) == (0, [])
    manifest = yaml.safe_load("\n".join(ended.out))
    (command,) = manifest["features"]["slash_commands"]
    assert (command["command"], command.get("url")) == ("/calls", address)
    settings = manifest["settings"]
    assert settings["socket_mode_enabled"] is socket
    assert settings["interactivity"].get("request_url") == address
    assert settings["event_subscriptions"].get("request_url") == address


async def test_a_manifest_that_slack_would_not_take_is_not_printed(program: Program) -> None:
    ended = await program("manifest", "--command", "calls", "--url", "http://bot.example.com", "--socket")
    assert (ended.status, ended.out) == (2, [])
    assert [line.split(":")[0].split(" ")[0] for line in ended.err] == ["--command", "--url", "--url"]


async def test_a_variable_that_nobody_reads_is_named(program: Program, enough: Mapping[str, str]) -> None:
    ended = await program("check", **enough, FLOWS_BOT_PORTT="Zq7")
    assert ended.status == 0
    (line,) = [line for line in ended.out if "environment" in line]
    assert line == "WARNING environment: FLOWS_BOT_PORTT: nobody reads it. Did you mean FLOWS_BOT_PORT?"
