"""Look at each thing that the bot needs, without a bot: Slack, VoIPBIN, the ledger, the policy, the files."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from uuid import UUID

from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import Failure
from bot.activeflows.health import Finding, Look, State
from bot.composition import audit_witness, file_permissions
from bot.composition.clients import rehearsed, route_to_slack, secret_of, voipbin_at
from bot.ledger import health as ledger
from bot.ledger.instance_lock import taken
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.policy import health as policy
from bot.settings import Settings, unread
from bot.slack import health as slack
from bot.slack.listeners.app import web_client
from bot.slack.messaging.session import http_session
from bot.slack.transport.signature import WINDOW
from bot.terminal import door, policy_ids
from bot.voipbin import VoIPBINClient
from bot.voipbin import health as voipbin

_ENVIRONMENT: Final = "environment"
_ACCOUNTS: Final = "accounts"


async def looks(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    """What to look at, by name. What is opened for it is closed with ``stack``."""
    session = await stack.enter_async_context(http_session())
    token, route = settings.slack_bot_token.get_secret_value(), route_to_slack(settings)
    client = web_client(token, settings.slack_api_url, session, route=route)
    asked: dict[str, Look] = {slack.SLACK: partial(slack.token, client)}
    if settings.socket_mode:
        asked[slack.DELIVERIES] = partial(slack.may_connect, client, secret_of(settings.slack_app_token))
    asked[_ENVIRONMENT] = _environment
    asked[slack.CLOCK] = partial(slack.clock, client, _now, believed_for=None if settings.socket_mode else WINDOW)
    voipbin_, looks_ = await _voipbin(settings, stack)
    return {
        **asked,
        **looks_,
        file_permissions.ABOUT: partial(file_permissions.look, settings),
        **_own(settings, stack),
        **_witness(settings, stack, client),
        policy_ids.ABOUT: partial(policy_ids.look, settings.flows_bot_policy, client, voipbin_),
        door.ABOUT: partial(door.look, settings, client, session),
    }


def _now() -> datetime:
    return datetime.now(UTC)


async def _environment() -> Finding:
    lines = tuple(unread(Settings))
    if not lines:
        return Finding(_ENVIRONMENT, State.OK, "every variable of ours is read")
    return Finding(_ENVIRONMENT, State.WARNING, " ".join(lines), "Correct them, or take them away.")


async def _voipbin(settings: Settings, stack: AsyncExitStack) -> tuple[list[VoIPBINClient], Mapping[str, Look]]:
    clients, found = list[VoIPBINClient](), dict[str, Look]()
    for name, account in settings.accounts.items():
        about, expiry = (voipbin.of_account(each, name) for each in (voipbin.ACCOUNT, voipbin.CREDENTIAL))
        try:
            client = await voipbin_at(settings, account, stack)
        except Misconfigured as trouble:
            found[about] = partial(_wrong, about, trouble)
            continue
        clients.append(client)
        found[about] = partial(_called, about, partial(voipbin.account, client))
        found[expiry] = partial(_called, expiry, partial(voipbin.credential, client, _now()))
    if len(clients) > 1:
        found[_ACCOUNTS] = partial(_one_each, clients, list(settings.accounts))
    return clients, found


async def _called(about: str, look: Look) -> Finding:
    return replace(await look(), about=about)


async def _one_each(clients: Sequence[VoIPBINClient], names: Sequence[str]) -> Finding:
    """Does each name open an account of its own? One that cannot be reached is told of elsewhere."""
    opened: dict[UUID, str] = {}
    for name, client in zip(names, clients, strict=False):
        try:
            customer = await client.introduce()
        except Failure:
            continue
        other = opened.setdefault(customer.id, name)
        if other != name:
            then = "An account can have one name only: take one of them away, or correct its credential."
            return Finding(_ACCOUNTS, State.BROKEN, f"{other} and {name} open the same VoIPBIN account", then)
    return Finding(_ACCOUNTS, State.OK, f"{', '.join(names)}")


def _own(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    async def in_force() -> Finding:
        try:
            return await policy.in_force(PolicyInForce(settings.flows_bot_policy), list(settings.accounts))
        except Misconfigured as broken:
            return await _wrong("policy", broken)

    return {"ledger": partial(_ledger, settings, stack), "policy": in_force}


def _witness(settings: Settings, stack: AsyncExitStack, client: AsyncWebClient) -> Mapping[str, Look]:
    """Nothing where another look says already what is wrong with the policy."""
    try:
        channel = PolicyInForce(settings.flows_bot_policy).policy().rules.audit_channel
    except Misconfigured:
        return {}
    if not channel:
        return {}

    async def compared() -> Finding:
        if _is_new(settings):
            return await audit_witness.look_without_ledger(client, channel)
        try:
            database, there = await rehearsed(settings, stack)
        except Misconfigured as trouble:
            return await _wrong(audit_witness.ABOUT, trouble)
        if not there:
            return await audit_witness.look_without_ledger(client, channel)
        return await audit_witness.look(client, database, channel)

    return {audit_witness.ABOUT: compared}


def _is_new(settings: Settings) -> bool:
    """Is it a file that is not there yet?"""
    url = settings.flows_bot_database_url.get_secret_value()
    return url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file()


async def _ledger(settings: Settings, stack: AsyncExitStack) -> Finding:
    url = settings.flows_bot_database_url.get_secret_value()
    if _is_new(settings):
        return _new_file(Path(url.removeprefix("sqlite:///")))
    try:
        database, there = await rehearsed(settings, stack)
        if not there:
            return Finding("ledger", State.OK, "there is none in that database yet; the first start makes it")
        finding = await ledger.ledger(database)
    except Misconfigured as trouble:
        return await _wrong("ledger", trouble)
    if finding.state is State.OK and taken(url):
        what = f"{finding.what}; a bot runs on it already, a second one could not start"
        return replace(finding, state=State.WARNING, what=what)
    return finding


def _new_file(file: Path) -> Finding:
    """Could it be made there? The file that is tried has no name."""
    try:
        with TemporaryFile(dir=file.parent) as trial:
            trial.write(b"a trial")
    except OSError as trouble:
        why = f"FLOWS_BOT_DATABASE_URL: no file can be made there ({trouble.strerror})"
        return Finding(
            "ledger", State.BROKEN, why, "Make its folder, and let the bot's user write there.", disabling=True
        )
    return Finding("ledger", State.OK, "there is none yet; the first start makes it")


async def _wrong(about: str, trouble: Misconfigured) -> Finding:
    return Finding(about, State.BROKEN, str(trouble), disabling=True)
