"""Run ``flows-bot manifest``: print the Slack app's manifest as this installation needs it, its comments included.

https://docs.slack.dev/reference/app-manifest
"""

import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import BaseModel, Field
from pydantic_settings import CliToggleFlag

from bot.misconfigured import Misconfigured

_HERE: Final = Path(__file__).resolve().parents[1]
_EVENTS: Final = "/slack/events"


class Manifest(BaseModel):
    """Print the manifest of the Slack app: for Socket Mode, or with --url for HTTP mode."""

    command: Annotated[str, Field(description="The slash command, as in FLOWS_BOT_COMMAND.")] = "/flows"
    url: Annotated[str, Field(description="HTTP mode: the https:// address at which Slack reaches the bot.")] = ""
    socket: Annotated[CliToggleFlag[bool], Field(description="Socket Mode, which is what it is without --url.")] = False

    def cli_cmd(self) -> None:
        mistakes = wrong_words(self.command, self.url, socket=self.socket)
        if mistakes:
            raise Misconfigured(*mistakes)
        print(manifest(self.command, self.url), end="")


def wrong_words(command: str, url: str, *, socket: bool) -> list[str]:
    """Return what is wrong with what is asked for."""
    mistakes = []
    if not re.fullmatch(r"/[^\sA-Z\"'#:]{1,31}", command):
        mistakes.append("--command: begins with / and has 2 to 32 characters, lower case, no blanks.")
    if url and not re.fullmatch(r"https://[\w.-]+(:\d+)?(/[\w./~-]*)?", url):
        mistakes.append("--url: an https:// address, without a credential and a query.")
    if url and socket:
        mistakes.append("--url and --socket are both given: use one.")
    return mistakes


def manifest(command: str, url: str) -> str:
    """Write the manifest with this command; ``url``: delivered there, empty for Socket Mode."""
    inside, beside = _HERE / "manifest.yml", _HERE.parent / "manifest.yml"  # of the wheel, or of the sources
    text = (inside if inside.is_file() else beside).read_text(encoding="utf-8")
    text = text.replace("command: /flows\n", f"command: {command}\n")
    if url:
        address = f"{url.rstrip('/').removesuffix(_EVENTS)}{_EVENTS}"
        text = re.sub(r"# (\w*url): https://\S+", rf"\1: {address}", text)
        text = text.replace("socket_mode_enabled: true", "socket_mode_enabled: false")
    return text


def link(command: str, url: str) -> str:
    """Return an address that opens Slack's page for a new app, with this manifest in it; its comments are left out.

    https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests
    """
    lines = (line for line in manifest(command, url).splitlines() if not line.lstrip().startswith("#"))
    return f"https://api.slack.com/apps?new_app=1&manifest_yaml={quote(chr(10).join(filter(None, lines)))}"
