"""Slack counts connections that are gone, and refuses one too many: the bot comes again until it is let in.

https://github.com/slackapi/node-slack-sdk/issues/1654 (``too_many_websockets``)
https://github.com/slackapi/python-slack-sdk/issues/1940 (``num_connections`` counts ghosts)
"""

from bot.demo.slack.workspace import Workspace
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage


async def test_it_is_let_in_once_the_ghosts_are_gone(stage: Stage, slack: Workspace) -> None:
    slack.socket_mode = True
    async with stage.start(slack_app_token=slack.app_token, slack_signing_secret=None):
        slack.request_url = None
        opened = sum(call.method == "apps.connections.open" for call in slack.calls)
        slack.socket.ghosts = 10
        await slack.socket.disconnect("refresh_requested")
        await slack.until(lambda: sum(call.method == "apps.connections.open" for call in slack.calls) > opened)
        slack.socket.ghosts = 0
        await slack.until(lambda: slack.socket.connected)
        assert (await slack.types(ALICE, INCIDENTS, "/flows list")).error is None
        await stage.reads("No activeflow is running")


async def test_a_warning_is_heeded_before_the_close(stage: Stage, slack: Workspace) -> None:
    """https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect: about ten seconds between the two."""
    slack.socket_mode, slack.socket.warning_seconds = True, 0.0
    async with stage.start(slack_app_token=slack.app_token, slack_signing_secret=None):
        slack.request_url = None
        await slack.socket.disconnect("warning")
        await slack.until(lambda: slack.socket.connected)
        assert (await slack.types(ALICE, INCIDENTS, "/flows list")).error is None
        await stage.reads("No activeflow is running")
