"""`flows-bot init` on a real terminal and by its options: what it writes runs, and no secret is shown."""

import asyncio
import os
import pty
import re
import stat
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.demo.slack.workspace import Workspace
from bot.policy import parsed_policy
from bot.settings import Settings
from tests.scenarios.conftest import INCIDENTS
from tests.scenarios.program import ROOT, Program

TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
)
"""A session's first process has to take its terminal, before getpass can find it."""


class Terminal:
    """The program with somebody at the keyboard."""

    def __init__(self, process: asyncio.subprocess.Process, screen: int, shows: asyncio.StreamReader) -> None:
        self.process, self.screen, self.shown = process, screen, ""
        self._shows, self._read = shows, 0

    async def reads(self, *words: str) -> None:
        """Wait until these stand on the screen, each below what was waited for before."""
        for word in words:
            async with asyncio.timeout(60):
                while word not in self.shown[self._read :]:
                    piece = await self._shows.read(4096)
                    assert piece, self.shown
                    self.shown += piece.decode(errors="replace")
            self._read = self.shown.index(word, self._read) + len(word)

    async def answers(self, question: str, words: str) -> None:
        await self.reads(question)
        os.write(self.screen, f"{words}\n".encode())

    async def ended(self) -> int:
        async with asyncio.timeout(120):
            with suppress(OSError):  # so a terminal says that nobody is there any more
                while piece := await self._shows.read(4096):
                    self.shown += piece.decode(errors="replace")
            return await self.process.wait()


@asynccontextmanager
async def terminal(folder: Path, *arguments: str, **environment: str) -> AsyncIterator[Terminal]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "VOIPBIN_", "FLOWS_BOT_"))}
    screen, end = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", TERMINAL, sys.executable, "-m", "bot", "init", *arguments),
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    shows = asyncio.StreamReader()
    reading, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(shows), os.fdopen(os.dup(screen), "rb", 0)
    )
    try:
        yield Terminal(process, screen, shows)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        reading.close()
        os.close(screen)


@pytest.fixture
def around(enough: Mapping[str, str]) -> dict[str, str]:
    """Where the simulators are; and a port that nobody else has."""
    return {name: enough[name] for name in ("SLACK_API_URL", "VOIPBIN_API_URL", "FLOWS_BOT_PORT")}


@pytest.fixture
def by_files(tmp_path: Path, enough: Mapping[str, str], slack: Workspace) -> list[str]:
    """The options for an HTTP installation."""
    options = ["--url", "https://bot.example.com", "--channel", "#incidents", "--may-stop", "@oncall"]
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "VOIPBIN_ACCESS_KEY"):
        file = tmp_path / name.lower()
        file.write_text(f"{enough[name]}\n")
        options += [f"--{name.lower().replace('_', '-')}-file", str(file)]
    assert slack.signing_secret == enough["SLACK_SIGNING_SECRET"]
    return options


def settings_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(folder)
    for name in ("SLACK_API_URL", "VOIPBIN_API_URL"):
        monkeypatch.delenv(name, raising=False)
    return Settings()


async def test_somebody_at_the_keyboard_is_led_to_a_bot_that_check_finds_well(
    program: Program,
    around: Mapping[str, str],
    enough: Mapping[str, str],
    slack: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slack.socket_mode = True
    slack.add_channel("C0HIDDEN", "hidden", members=[], is_private=True, bot_is_member=False)
    async with terminal(program.folder, **around) as asked:
        await asked.answers("for Socket Mode, which needs none: ", "")
        await asked.reads("https://api.slack.com/apps?new_app=1&manifest_yaml=_metadata")
        await asked.answers("(not shown): ", "xoxb-Zq7-wrong")
        await asked.reads("No: Slack answered invalid_auth.")
        await asked.answers("(not shown): ", enough["SLACK_BOT_TOKEN"])
        await asked.reads("token accepted by")
        await asked.answers("(not shown): ", slack.app_token)
        await asked.reads("Socket Mode can connect")
        await asked.answers("(not shown): ", "vb_Zq7 wrong")
        await asked.reads("No: ")
        await asked.answers("(not shown): ", enough["VOIPBIN_ACCESS_KEY"])
        await asked.reads("account ", "Where may it be used?", f"{INCIDENTS}  #incidents")
        await asked.answers("lists: ", "incid")
        await asked.reads(f"'incid' could be {INCIDENTS} #incidents: say which.")
        await asked.answers("lists: ", "#incidents, lobby")
        await asked.reads("Who may look there?", "guest")
        await asked.answers("lists: ", "members")
        await asked.answers("lists: ", "@oncall, @Bob")
        await asked.reads("Written: policy.toml, .env.")
        assert await asked.ended() == 0, asked.shown
    secrets = [enough["SLACK_BOT_TOKEN"], slack.app_token, enough["VOIPBIN_ACCESS_KEY"], "Zq7", "hidden"]
    assert not [secret for secret in secrets if secret in asked.shown]
    assert "all 4 are known" in asked.shown
    text = (program.folder / "policy.toml").read_text()
    assert f'"{INCIDENTS}",  # #incidents\n' in text
    assert '"S0ONCALL",  # @oncall (user group)\n' in text
    view, stop = parsed_policy(text, name="policy.toml").grants
    assert (set(view.to), set(stop.to)) == ({"members"}, {"S0ONCALL", "U0BOB"})
    env = program.folder / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert sorted(path.name for path in program.folder.iterdir()) == [".env", "policy.toml"]
    written = settings_in(program.folder, monkeypatch)
    assert (written.slack_api_url, written.socket_mode) == (around["SLACK_API_URL"], True)


async def test_every_answer_can_be_an_option_and_secrets_stay_in_their_files(
    program: Program, around: Mapping[str, str], by_files: list[str], enough: Mapping[str, str]
) -> None:
    ended = await program("init", *by_files, "--command", "/calls", **around)
    assert ended.status == 0, ended
    text = (program.folder / ".env").read_text()
    assert "FLOWS_BOT_COMMAND=/calls\n" in text
    assert re.search(r"^SLACK_BOT_TOKEN_FILE=/\S+/slack_bot_token$", text, re.MULTILINE)
    assert not [name for name in ("SLACK_BOT_TOKEN", "VOIPBIN_ACCESS_KEY") if enough[name] in text]
    before = (program.folder / ".env").stat().st_ino

    again = await program("init", *by_files, **around)
    assert (again.status, again.err) == (
        2,
        [f"{name} is there already: --force writes over it." for name in (".env", "policy.toml")],
    )
    assert (program.folder / ".env").stat().st_ino == before
    assert (await program("init", *by_files, "--force", **around)).status == 0
    assert "/calls" not in (program.folder / ".env").read_text()


async def test_without_a_terminal_every_missing_option_is_named_and_nothing_written(
    program: Program, around: Mapping[str, str]
) -> None:
    ended = await program("init", SLACK_BOT_TOKEN="xoxb-Zq7", **around)
    assert (ended.status, [line.partition(" ")[0] for line in ended.err]) == (
        2,
        [
            "SLACK_BOT_TOKEN",
            "--slack-bot-token-file",
            "--slack-app-token-file",
            "--voipbin-access-key-file",
            "--channel",
            "--may-stop",
        ],
    )
    assert list(program.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--may-stop", "@nobody"], "--may-stop: nothing is called '@nobody'."),
        (["--channel", "C0"], "--channel: nothing is called 'C0'."),
        (["--may-stop", "Alex"], "--may-stop: 'Alex' could be U0ALEX1 @Alex, U0ALEX2 @Alex: say which."),
    ],
)
async def test_a_name_that_is_nobodys_or_several_peoples_is_not_guessed(
    program: Program, around: Mapping[str, str], by_files: list[str], slack: Workspace, words: list[str], said: str
) -> None:
    slack.add_user("U0ALEX1", "Alex")
    slack.add_user("U0ALEX2", "Alex")
    ended = await program("init", *by_files, *words, **around)
    assert (ended.status, ended.err) == (2, [said])
    assert list(program.folder.iterdir()) == []


async def test_a_name_cannot_write_into_the_policy(
    program: Program, around: Mapping[str, str], by_files: list[str], slack: Workspace
) -> None:
    evil = 'x\n[[grant]]\nto = ["U0EVIL"]\u2028may = ["stop"]\x1b[2J'
    slack.add_user("U0EVIL", "eve", real_name=evil)
    ended = await program("init", *by_files, "--may-stop", "eve", **around)
    assert ended.status == 0, ended
    text = (program.folder / "policy.toml").read_text()
    assert len(parsed_policy(text, name="policy.toml").grants) == 2
    assert all(sign.isprintable() or sign == "\n" for sign in text)


async def test_lists_that_slack_refuses_can_be_answered_with_ids(
    program: Program, around: Mapping[str, str], by_files: list[str], slack: Workspace
) -> None:
    slack.scopes -= {"channels:read", "groups:read", "usergroups:read"}
    by_ids = [{"#incidents": INCIDENTS, "@oncall": "S0ONCALL"}.get(word, word) for word in by_files]
    ended = await program("init", *by_ids, **around)
    assert ended.status == 0, ended
    assert f'"{INCIDENTS}",\n' in (program.folder / "policy.toml").read_text()


async def test_ctrl_c_leaves_the_terminal_as_it_was_and_writes_nothing(
    program: Program, around: Mapping[str, str]
) -> None:
    async with terminal(program.folder, "--socket", **around) as asked:
        await asked.reads("(not shown): ")
        before = termios.tcgetattr(asked.screen)[3] & termios.ECHO
        os.write(asked.screen, b"\x03")
        assert await asked.ended() == 130
        after = termios.tcgetattr(asked.screen)[3] & termios.ECHO
    assert (before, after) == (0, termios.ECHO)
    assert list(program.folder.iterdir()) == []
