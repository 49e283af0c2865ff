"""Set up a bot for ``flows-bot init``: the app, its tokens, VoIPBIN's key, who may do what, the files, the check.

Decision: what is asked at the keyboard is asked outside of an event loop, so that Ctrl-C ends it there and then, with
the terminal as it was. Nothing is written before the last answer.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from getpass import getpass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from pydantic import Field
from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.operators import MEMBERS
from bot.misconfigured import Misconfigured
from bot.network import Proxy
from bot.policy import parsed_policy
from bot.settings import Settings, SomeSettings, from_environment, wrong_addresses
from bot.slack import directory
from bot.slack import health as slack
from bot.slack.directory import DirectoryEntry, DirectoryListing
from bot.slack.messaging.web_client import http_session, route, web_client
from bot.terminal.check import Check
from bot.terminal.manifest import link, wrong_words
from bot.voipbin import AccessKey, connected
from bot.voipbin import health as voipbin

if TYPE_CHECKING:
    from bot.terminal.init import Init


# ---------------------------------------------------------------- questions
# Ask on the terminal: a line, a secret that is not shown, and which of what Slack lists.

_AT_ONCE: Final = 30
"""So many are listed without being asked for."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What was typed, or the file that holds it."""

    name: str
    value: str = field(repr=False)
    file: Path | None = None

    @property
    def line(self) -> tuple[str, str]:
        """As a variable; what stands in a file stays there."""
        return (f"{self.name}_FILE", str(self.file)) if self.file else (self.name, self.value)


def line(question: str) -> str:
    return input(f"{question}: ").strip()


def secret(name: str, file: Path | None, question: str, trouble: Callable[[str], str]) -> Secret:
    """Ask for a secret. ``trouble`` says why it is of no use, ``""``: it is. Raises ``Misconfigured`` about a file."""
    if file is not None:
        found = Secret(name, _read(name, file), file.resolve())
        why = trouble(found.value)
        if why:
            raise Misconfigured(f"{_option(name)}: {why}")
        return found
    while True:
        value = getpass(f"{question} (not shown): ").strip()
        why = trouble(value)
        if not why:
            return Secret(name, value)
        print(f"No: {why}")


def chosen(
    option: str, words: Sequence[str], question: str, listing: DirectoryListing, form: str
) -> list[DirectoryEntry]:
    """Return those that were meant: of the list, or an id of that form. Raises ``Misconfigured`` about the option's
    words.
    """
    if words:
        found, wrong = _understood(words, listing.found, form)
        if wrong:
            raise Misconfigured(*(f"{option}: {_why(word, some)}" for word, some in wrong))
        return found
    print(f"\n{question}")
    for sentence in listing.missing:
        print(f"  {sentence}")
    _list(listing.found if len(listing.found) <= _AT_ONCE else ())
    while True:
        words = [
            word for word in re.split(r"\s*,\s*", line("Names or ids, with commas; a part of a name lists")) if word
        ]
        found, wrong = _understood(words, listing.found, form)
        for word, some in wrong:
            print(f"  {_why(word, some)}")
            _list(some)
        if found and not wrong:
            print(f"  → {', '.join(f'{one.name} ({one.id})' if one.name else one.id for one in found)}")
            return found


def _understood(
    words: Sequence[str], listed: Sequence[DirectoryEntry], form: str
) -> tuple[list[DirectoryEntry], list[tuple[str, list[DirectoryEntry]]]]:
    found: dict[str, DirectoryEntry] = {}
    wrong: list[tuple[str, list[DirectoryEntry]]] = []
    for word in words:
        said = word.casefold()
        meant = [one for one in listed if word == one.id or said.lstrip("#@") == one.name.casefold().lstrip("#@")]
        if len(meant) == 1:
            found[meant[0].id] = meant[0]
        elif not meant and re.fullmatch(form, word):
            found[word] = DirectoryEntry(word, "")
        else:
            part = said.lstrip("#@")
            wrong.append((word, meant or [one for one in listed if part in f"{one.name} {one.about}".casefold()]))
    return list(found.values()), wrong


def _why(word: str, some: Sequence[DirectoryEntry]) -> str:
    if not some:
        return f"nothing is called {word!r}."
    ids = ", ".join(f"{one.id} {one.name}" for one in some[:3])
    return f"{word!r} could be {ids}{' …' if len(some) > 3 else ''}: say which."


def _list(some: Sequence[DirectoryEntry]) -> None:
    for one in some[:_AT_ONCE]:
        print(f"  {one.id:<12} {one.name}{f' ({one.about})' if one.about else ''}")
    if len(some) > _AT_ONCE:
        print(f"  … and {len(some) - _AT_ONCE} more")


def _read(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as trouble:
        raise Misconfigured(f"{_option(name)}: cannot be read ({type(trouble).__name__}).") from None


def _option(name: str) -> str:
    return f"--{name.lower().replace('_', '-')}-file"


# ---------------------------------------------------------------- starting files
# Write the first ``.env`` and ``policy.toml``: ids with their names as comments, secrets for the bot's own user only.

ENV: Final = Path(".env")
POLICY: Final = Path("policy.toml")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~=/:@%+,-]*")
_MODES: Final = {ENV: 0o600, POLICY: 0o640}


def in_the_way() -> list[str]:
    return [f"{path} is there already: --force writes over it." for path in (ENV, POLICY) if os.path.lexists(path)]


def policy_text(
    channels: Sequence[DirectoryEntry], viewers: Sequence[DirectoryEntry], stoppers: Sequence[DirectoryEntry]
) -> str:
    """Write a policy by which, in these channels, some may look, and some stop."""
    parts = ["# Written by `flows-bot init`. What else can be said here: docs/policy.md.\n"]
    for to, may in ((viewers, '["view"]'), (stoppers, '["view", "stop"]')):
        parts.append(f"\n[[grant]]\nto = {_array(to)}\nmay = {may}\nin = {_array(channels)}\n")
    text = "".join(parts)
    parsed_policy(text, name=POLICY.name)
    return text


def env_text(variables: Mapping[str, str]) -> str:
    """Write the environment file. Raises ``Misconfigured`` for a value that this file cannot hold."""
    lines = ["# Written by `flows-bot init`. What else can be set here: .env.example."]
    for name, value in variables.items():
        if not _PLAIN.fullmatch(value) and re.search(r"[\\'$\n\r]", value):
            raise Misconfigured(f"{name}: has a sign in it ($, ', \\) that other programs read otherwise in .env.")
        lines.append(f"{name}={value}" if _PLAIN.fullmatch(value) else f"{name}='{value}'")
    return "\n".join(lines) + "\n"


def write(texts: Mapping[Path, str], *, force: bool) -> None:
    """Write the files, each whole or not at all. Raises ``Misconfigured``."""
    for path, text in texts.items():
        beside = path.with_name(f".{path.name.lstrip('.')}.{token_hex(4)}")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODES[path])
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if force:
                beside.replace(path)
            else:
                path.hardlink_to(beside)  # fails where something is
        except FileExistsError:
            raise Misconfigured(f"{path} is there already: --force writes over it.") from None
        except OSError as trouble:
            raise Misconfigured(f"{path}: cannot be written ({trouble.strerror}).") from None
        finally:
            beside.unlink(missing_ok=True)


def _array(some: Iterable[DirectoryEntry]) -> str:
    lines = [f'    "{one.id}",{f"  # {_words(one)}" if one.name else ""}\n' for one in some]
    return f"[\n{''.join(lines)}]"


def _words(one: DirectoryEntry) -> str:
    return f"{one.name} ({one.about})" if one.about else one.name


# ---------------------------------------------------------------- set up

T = TypeVar("T")
_WRITTEN: Final = (
    *("SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN_FILE", "SLACK_APP_TOKEN", "SLACK_APP_TOKEN_FILE"),
    *("SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET_FILE", "VOIPBIN_ACCESS_KEY", "VOIPBIN_ACCESS_KEY_FILE"),
    *("VOIPBIN_USERNAME", "VOIPBIN_PASSWORD", "VOIPBIN_PASSWORD_FILE", "FLOWS_BOT_POLICY", "FLOWS_BOT_COMMAND"),
)
"""Of the environment these would win over what is written, or go against it."""
_CHANNEL, _WHO = r"[CG][A-Z0-9]{2,31}", r"[UWS][A-Z0-9]{2,31}|members"
_EVERYBODY: Final = DirectoryEntry(MEMBERS, "members", "every full member of this workspace")


class _Surroundings(SomeSettings):
    """Where Slack and VoIPBIN are, and the way there."""

    slack_api_url: str = Settings.model_fields["slack_api_url"].default
    slack_ca_file: Path | None = None
    voipbin_api_url: str = Settings.model_fields["voipbin_api_url"].default
    voipbin_ca_file: Path | None = None
    https_proxy: Annotated[str, Field(repr=False)] = ""
    no_proxy: str = ""

    @property
    def proxy(self) -> Proxy:
        return Proxy(self.https_proxy, self.no_proxy)

    def unusual(self) -> dict[str, str]:
        """Return what is not as it is for everybody, to be written down with the rest."""
        names = ("slack_api_url", "slack_ca_file", "voipbin_api_url", "voipbin_ca_file")
        usual = {name: Settings.model_fields[name].default for name in names}
        return {name.upper(): str(getattr(self, name)) for name in names if getattr(self, name) != usual[name]}


def set_up(asked: "Init") -> None:
    """Set the bot up, and end as ``check`` does. Raises ``Misconfigured``."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or a hidden answer would leave the terminal without echo
    logs.configure("console", "CRITICAL")
    around = _looked_at(asked)
    try:
        texts = _answered(asked, around)
    except EOFError:
        raise Misconfigured("The answers ended before the questions. Nothing was written.") from None
    write(texts, force=asked.force)
    print(f"\nWritten: {', '.join(map(str, texts))}. Checking…\n")
    asyncio.run(Check().cli_cmd())


def _looked_at(asked: "Init") -> _Surroundings:
    """Return everything that can be wrong before the first question, at once."""
    mistakes = [] if asked.force else in_the_way()
    mistakes += [
        f"{name} is set in the environment, which wins over .env: take it away, then ask again."
        for name in _WRITTEN
        if os.environ.get(name)
    ]
    mistakes += wrong_words(asked.command, asked.url, socket=asked.socket)
    if asked.url and asked.slack_app_token_file:
        mistakes.append("--slack-app-token-file is for Socket Mode, --url for HTTP mode: use one.")
    if asked.slack_signing_secret_file and not asked.url:
        mistakes.append("--slack-signing-secret-file is for HTTP mode: give --url, too.")
    if not sys.stdin.isatty():
        mistakes += _unanswered(asked)
    around = from_environment(_Surroundings)
    given = {"slack_api_url": around.slack_api_url, "voipbin_api_url": around.voipbin_api_url}
    mistakes += wrong_addresses(given, *given)
    if mistakes:
        raise Misconfigured(*mistakes)
    return around


def _unanswered(asked: "Init") -> list[str]:
    how = "slack_signing_secret_file" if asked.url else "slack_app_token_file"
    needed = ("slack_bot_token_file", how, "voipbin_access_key_file", "channel", "may_stop")
    options = [f"--{name.replace('_', '-')}" for name in needed if not getattr(asked, name)]
    return [f"{option} is missing, and there is no terminal to ask on." for option in options]


def _answered(asked: "Init", around: _Surroundings) -> dict[Path, str]:
    """Return what to write."""
    url = _address(asked)
    print(f"\nThe app: open this, choose the workspace, create it, install it.\n\n{link(asked.command, url)}\n")
    token = secret(
        "SLACK_BOT_TOKEN",
        asked.slack_bot_token_file,
        "Bot User OAuth Token (OAuth & Permissions), xoxb-…",
        lambda value: _token_trouble(around, value),
    )
    door = _door(asked, around, token.value, http=bool(url))
    key = secret(
        "VOIPBIN_ACCESS_KEY",
        asked.voipbin_access_key_file,
        "VoIPBIN access key",
        lambda value: asyncio.run(_key_trouble(around, value)),
    )
    policy = _policy(asked, around, token.value)
    variables = dict((token.line, door.line, key.line)) | around.unusual() | {"FLOWS_BOT_POLICY": "policy.toml"}
    if asked.command != "/flows":
        variables["FLOWS_BOT_COMMAND"] = asked.command
    return {POLICY: policy, ENV: env_text(variables)}


def _address(asked: "Init") -> str:
    """Return where Slack delivers to; empty: Socket Mode."""
    if asked.url or asked.socket or asked.slack_app_token_file or not sys.stdin.isatty():
        return asked.url
    while True:
        url = line("Address at which Slack reaches the bot (https://…); nothing for Socket Mode, which needs none")
        mistakes = wrong_words("/flows", url, socket=False)
        if not mistakes:
            return url
        print(f"No: {mistakes[0].removeprefix('--url: ')}")


def _door(asked: "Init", around: _Surroundings, token: str, *, http: bool) -> Secret:
    """Return what makes a delivery Slack's."""
    if http:
        question = "Signing Secret (Basic Information)"
        return secret("SLACK_SIGNING_SECRET", asked.slack_signing_secret_file, question, _signing_trouble)

    def trouble(value: str) -> str:
        if not re.fullmatch(r"xapp-[A-Za-z0-9-]+", value):
            return "an app-level token begins with xapp-, and has no blanks."
        return _said(asyncio.run(_asked_slack(around, token, lambda client: slack.may_connect(client, value))))

    question = "App-level token with connections:write (Basic Information), xapp-…"
    return secret("SLACK_APP_TOKEN", asked.slack_app_token_file, question, trouble)


def _policy(asked: "Init", around: _Surroundings, token: str) -> str:
    listed = asyncio.run(_asked_slack(around, token, _listed))
    places, who = listed
    channels = chosen("--channel", asked.channel, "Where may it be used?", places, _CHANNEL)
    viewers: list[DirectoryEntry] = [_EVERYBODY]
    if asked.may_view or (sys.stdin.isatty() and not asked.may_stop):
        question = "Who may look there? Stopping comes next. (“members”: every full member)"
        viewers = chosen("--may-view", asked.may_view, question, who, _WHO)
    stoppers = chosen("--may-stop", asked.may_stop, "Who may stop there?", who, _WHO)
    return policy_text(channels, viewers, stoppers)


async def _listed(client: AsyncWebClient) -> tuple[DirectoryListing, DirectoryListing]:
    found = await directory.channels(client), await directory.groups(client) + await directory.people(client)
    return found[0], DirectoryListing((_EVERYBODY,)) + found[1]


def _token_trouble(around: _Surroundings, value: str) -> str:
    if not re.fullmatch(r"xoxb-[A-Za-z0-9-]+", value):
        return "a bot token begins with xoxb-, and has no blanks."
    return _said(asyncio.run(_asked_slack(around, value, slack.token)))


def _signing_trouble(value: str) -> str:
    return "" if re.fullmatch(r"[0-9a-f]{32}", value) else "a signing secret has 32 digits and letters from a to f."


async def _key_trouble(around: _Surroundings, value: str) -> str:
    try:
        credential = AccessKey(value)
    except ValueError as wrong:
        return f"{wrong}."
    try:
        async with connected(
            api_url=around.voipbin_api_url, credential=credential, ca_file=around.voipbin_ca_file, proxy=around.proxy
        ) as client:
            return _said(await voipbin.account(client))
    except (ValueError, OSError) as trouble:
        raise Misconfigured(f"VOIPBIN_API_URL or VOIPBIN_CA_FILE: {type(trouble).__name__}.") from None


async def _asked_slack(around: _Surroundings, token: str, question: Callable[[AsyncWebClient], Awaitable[T]]) -> T:
    async with http_session() as session:
        try:
            way = route(around.proxy, around.slack_ca_file)
        except OSError as trouble:
            raise Misconfigured(f"SLACK_CA_FILE: {type(trouble).__name__}.") from None
        return await question(web_client(token, around.slack_api_url, session, route=way))


def _said(finding: Finding) -> str:
    """Print what is well; say what is broken."""
    if finding.state is HealthState.BROKEN:
        return f"{finding.what}."
    print(f"  {finding.about}: {finding.what}. {finding.next or ''}".rstrip())
    return ""
