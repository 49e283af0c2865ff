"""Run ``flows-bot init``: what it asks, each question as an option, too. No option takes a secret, only a file with
one.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field
from pydantic_settings import CliToggleFlag

_Flag = CliToggleFlag[bool]


class Init(BaseModel):
    """Set up a bot in this folder: asks for what is left out, checks each token, writes .env and policy.toml.

    Secrets are not shown while they are typed, and no option takes one. Ends with `check`.
    """

    command: Annotated[str, Field(description="The slash command.")] = "/flows"
    url: Annotated[str, Field(description="HTTP mode: the https:// address at which Slack reaches the bot.")] = ""
    socket: Annotated[_Flag, Field(description="Socket Mode, which needs no public address.")] = False
    slack_bot_token_file: Annotated[Path | None, Field(description="A file that holds the bot token (xoxb-…).")] = None
    slack_app_token_file: Annotated[
        Path | None, Field(description="… the app-level token (xapp-…), for Socket Mode.")
    ] = None
    slack_signing_secret_file: Annotated[Path | None, Field(description="… the signing secret, for HTTP mode.")] = None
    voipbin_access_key_file: Annotated[Path | None, Field(description="… VoIPBIN's access key.")] = None
    channel: Annotated[
        list[str], Field(description="Where it may be used: a channel's id, or its name; may be given many times.")
    ] = []
    may_view: Annotated[
        list[str], Field(description='Who may look there: an id, the name of a user group or a person, or "members".')
    ] = []
    may_stop: Annotated[list[str], Field(description="… and who may stop.")] = []
    force: Annotated[_Flag, Field(description="Write over an .env and a policy.toml that are there.")] = False

    def cli_cmd(self) -> None:
        from bot.terminal.set_up import set_up  # noqa: PLC0415 — half the bot; the other commands answer sooner

        set_up(self)
