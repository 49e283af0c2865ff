"""Build the Bolt app, without its surprises.

Decisions: who the bot is was asked at the start (``installation.introduce``) and is not asked again before an ack. The
environment changes nothing: with ``SLACK_CLIENT_ID`` set Bolt would otherwise drop the token and turn on OAuth. Bolt's
own log lines, which quote bodies, are off; ours stand in their place. A bug in a listener is acked, and told in words
with an incident id.

https://docs.slack.dev/tools/bolt-python/concepts/authorization
"""

from collections.abc import Mapping
from typing import Any

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks.error_words import BUSY, incident
from bot.slack.interaction import from_body
from bot.slack.listeners.unknown import Unknown
from bot.slack.messaging.web_client import quiet
from bot.slack.people.installation import Installation
from bot.slack.transport.intake import NO_ROOM, App
from bot.slack.transport.jobs import Jobs, TooMany


def build_app(client: AsyncWebClient, installation: Installation, jobs: Jobs, unknown: Unknown) -> App:
    """Return the Bolt app, to which listeners are added. Bugs in them are told through ``jobs``, the rest by
    ``unknown``.
    """
    app = App(
        name="flows-bot",
        client=client,
        authorize=_Installed(installation, client.token or ""),
        signing_secret="",
        process_before_response=True,
        request_verification_enabled=False,  # done on the raw bytes, in intake
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
        raise_error_for_unhandled_request=True,  # to be answered below
        logger=quiet("bot.slack.bolt"),
    )

    def unheard(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        try:
            return bug(error, body)
        except TooMany:
            return _full(body)

    def bug(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        """Ack a delivery that met a bug, too: the person reads our words instead of Slack's."""
        if isinstance(error, TooMany):
            raise error
        if isinstance(error, BoltUnhandledRequestError):
            return unknown.answer(body)
        interaction = from_body(body)
        if interaction is None or not interaction.user_id:
            incident(error, user="", doing="hearing an event")
            return BoltResponse(status=200, body="")

        async def tell() -> None:
            raise error

        jobs.start(interaction, tell, doing="listening")
        return BoltResponse(status=200, body="")

    app.on_bug(unheard)
    return app


def _full(body: Mapping[str, Any]) -> BoltResponse:
    """Return the words for whoever typed a command, Slack's own warning for whoever pressed; an event Slack brings
    again.

    https://docs.slack.dev/interactivity/implementing-slash-commands#command_response_immediate,
    https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
    """
    return BoltResponse(status=200, body=BUSY.text) if "command" in body else BoltResponse(status=NO_ROOM, body="")


class _Installed(AsyncAuthorize):
    """The answer is known: one workspace, one token. ``intake`` has compared the workspace before."""

    def __init__(self, installation: Installation, token: str) -> None:
        self._known = AuthorizeResult(
            enterprise_id=installation.enterprise_id or None,
            team_id=installation.team_id,
            bot_user_id=installation.bot_user_id,
            bot_id=installation.bot_id,
            bot_token=token,
        )

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,  # noqa: ARG002 - Bolt passes these by name
        enterprise_id: str | None,  # noqa: ARG002
        team_id: str | None,  # noqa: ARG002
        user_id: str | None,  # noqa: ARG002
        actor_enterprise_id: str | None = None,  # noqa: ARG002
        actor_team_id: str | None = None,  # noqa: ARG002
        actor_user_id: str | None = None,  # noqa: ARG002
    ) -> AuthorizeResult:
        return self._known
