"""How the app is installed: its credentials, scopes, commands and tabs, as its manifest asks for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Command:
    """A slash command as the composer suggests it."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    """An entry in the "More actions" menu of a message (`type` is `message`) or in the global menu."""

    name: str
    callback_id: str
    type: str
    description: str = ""


class Installation:
    """Credentials and settings of the one app; every attribute may be changed."""

    def __init__(self) -> None:
        self.bot_token = "xoxb-simulated-bot-token"
        self.app_token = "xapp-simulated-app-token"
        self.signing_secret = "5117a4ed5117a4ed5117a4ed5117a4ed"
        self.scopes = {"commands", "chat:write", "users:read", "usergroups:read", "channels:read", "groups:read"}
        self.scopes |= {"app_mentions:read", "im:history", "channels:history", "groups:history", "files:write"}
        self.events = {"app_home_opened", "app_mention", "message.im"}
        self.events |= {
            "subteam_members_changed",
            "subteam_updated",
            "user_change",
            "app_uninstalled",
            "tokens_revoked",
        }
        usage = "list | show | stop | help"
        self.commands = {"/flows": Command("/flows", "See and stop activeflows", usage, should_escape=True)}
        self.shortcuts = [
            Shortcut("Find activeflow", "activeflow.find", "message", "The activeflows it speaks of"),
            Shortcut("Stop an activeflow…", "activeflow.stop", "global", "Choose which, and where its card goes"),
        ]
        self.home_tab_enabled = True
        self.messages_tab_enabled = True
        self.messages_tab_read_only = False
        self.paid_plan = True
        self.organisation_wide = False

    def installs(self, manifest: Mapping[str, Any]) -> None:
        """Take scopes, events, commands, shortcuts and tabs from an app manifest
        (https://docs.slack.dev/reference/app-manifest).
        """
        features = manifest.get("features", {})
        granted = manifest.get("oauth_config", {}).get("scopes", {})
        self.scopes = {*granted.get("bot", ()), *granted.get("bot_optional", ())}
        self.events = {*manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", ())}
        known = {"command", "description", "usage_hint", "should_escape"}
        commands = [{key: c[key] for key in known & c.keys()} for c in features.get("slash_commands", ())]
        self.commands = {command["command"]: Command(**command) for command in commands}
        keys = {"name", "callback_id", "type", "description"}
        self.shortcuts = [Shortcut(**{key: s[key] for key in keys & s.keys()}) for s in features.get("shortcuts", ())]
        tabs = features.get("app_home", {})
        self.home_tab_enabled = bool(tabs.get("home_tab_enabled", False))
        self.messages_tab_enabled = bool(tabs.get("messages_tab_enabled", True))
        self.messages_tab_read_only = bool(tabs.get("messages_tab_read_only_enabled", False))
