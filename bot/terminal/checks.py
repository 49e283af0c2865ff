"""Look at each thing that the bot needs, without a bot: Slack, VoIPBIN, the ledger, the policy, the files."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from bot.activeflows.health import Finding, Look, State
from bot.composition import file_permissions
from bot.composition.clients import opened, secret_of, voipbin_at
from bot.ledger import health as ledger
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.policy import health as policy
from bot.settings import Settings, unread
from bot.slack import health as slack
from bot.slack.listeners.app import web_client
from bot.slack.messaging.session import http_session
from bot.voipbin import health as voipbin

_ENVIRONMENT: Final = "environment"


async def looks(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    """What to look at, by name. What is opened for it is closed with ``stack``."""
    client = web_client(
        settings.slack_bot_token.get_secret_value(),
        settings.slack_api_url,
        await stack.enter_async_context(http_session()),
    )
    asked: dict[str, Look] = {slack.SLACK: partial(slack.token, client)}
    if settings.socket_mode:
        asked[slack.DELIVERIES] = partial(slack.may_connect, client, secret_of(settings.slack_app_token))
    asked[_ENVIRONMENT] = _environment
    files = {file_permissions.ABOUT: partial(file_permissions.look, settings)}
    return {**asked, **await _voipbin(settings, stack), **files, **_own(settings, stack)}


async def _environment() -> Finding:
    lines = tuple(unread(Settings))
    if not lines:
        return Finding(_ENVIRONMENT, State.OK, "every variable of ours is read")
    return Finding(_ENVIRONMENT, State.WARNING, " ".join(lines), "Correct them, or take them away.")


async def _voipbin(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    try:
        client = await voipbin_at(settings, stack)
    except Misconfigured as trouble:
        return {voipbin.ACCOUNT: partial(_wrong, voipbin.ACCOUNT, trouble)}
    return {
        voipbin.ACCOUNT: partial(voipbin.account, client),
        voipbin.CREDENTIAL: partial(voipbin.credential, client, datetime.now(UTC)),
    }


def _own(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    async def in_force() -> Finding:
        try:
            return await policy.in_force(PolicyInForce(settings.flows_bot_policy))
        except Misconfigured as broken:
            return await _wrong("policy", broken)

    return {"ledger": partial(_ledger, settings, stack), "policy": in_force}


async def _ledger(settings: Settings, stack: AsyncExitStack) -> Finding:
    url = settings.flows_bot_database_url.get_secret_value()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():  # noqa: ASYNC240 - nothing else runs
        return Finding("ledger", State.OK, "there is none yet; the first start makes it")
    try:
        return await ledger.ledger(await opened(settings, stack))
    except Misconfigured as trouble:
        return await _wrong("ledger", trouble)


async def _wrong(about: str, trouble: Misconfigured) -> Finding:
    return Finding(about, State.BROKEN, str(trouble))
