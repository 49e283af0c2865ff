"""``flows-bot check``: is everything the bot needs working? It looks, as ``/flows doctor`` does, and carries out nothing.

Decision: not a bot started and stopped, because a starting bot takes over the stops that were cut off, and one of those
may be under way in the bot that runs beside this.
"""

import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from bot import logs
from bot.activeflows.health import Finding, Look, State, looked
from bot.composition import exposed_files
from bot.composition.connecting import opened, secret_of, voipbin_at
from bot.ledger import health as ledger
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.policy import health as policy
from bot.settings import Settings, from_environment, without_surprises
from bot.slack import health as slack
from bot.slack.app import web_client
from bot.slack.session import http_session
from bot.voipbin import health as voipbin

WITHIN: Final = 60.0
"""Seconds for each look: nobody in a channel waits, and what is slow is not yet wrong."""
_WORDS: Final = {State.OK: "ok     ", State.WARNING: "WARNING", State.BROKEN: "WRONG  "}


class Check(BaseModel):
    """Is everything this bot needs working? Ends with status 1 when something is wrong."""

    async def cli_cmd(self) -> None:
        without_surprises()
        settings = from_environment(Settings)
        logs.configure(settings.flows_bot_log_format, "ERROR")
        async with AsyncExitStack() as stack:
            findings = await looked(await _looks(settings, stack), within=WITHIN, unanswered=State.BROKEN)
        for finding in findings:
            print(f"{_WORDS[finding.state]} {finding.about}: {finding.what}")
            if finding.next:
                print(f"        {finding.next}")
        sys.exit(1 if any(finding.state is State.BROKEN for finding in findings) else 0)


async def _looks(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Look]:
    client = web_client(
        settings.slack_bot_token.get_secret_value(),
        settings.slack_api_url,
        await stack.enter_async_context(http_session()),
    )
    looks: dict[str, Look] = {slack.SLACK: partial(slack.token, client)}
    if settings.socket_mode:
        looks[slack.DELIVERIES] = partial(slack.may_connect, client, secret_of(settings.slack_app_token))
    files = {exposed_files.ABOUT: partial(exposed_files.look, settings)}
    return {**looks, **await _voipbin(settings, stack), **files, **_own(settings, stack)}


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
