"""The manifest, the grammar, the listeners and the buttons speak of the same things."""

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, cast, get_args

import jsonschema
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack.installation import Installation
from bot.settings import Settings
from bot.slack import ids
from bot.slack import listeners as package
from bot.slack.blocks.picker import stop_form
from bot.slack.grammar.requests import Request
from bot.slack.grammar.table import usage_hint
from bot.slack.health import FILE_SCOPE, GROUP_SCOPE, HISTORY_SCOPES, NEEDED, PLACE_SCOPES, WORDS_SCOPES
from bot.slack.listeners.commands import MENTIONED, WRITTEN
from bot.slack.listeners.context import Listeners
from bot.slack.listeners.homes import FOR_GOOD, HEARD, OPENED
from bot.slack.messaging.messenger import checked
from bot.slack.transport.intake import Acking, App, AtOnce
from bot.terminal.manifest import manifest
from tests.unit.slack.blocks.screens import every_screen

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
SCHEMA = os.environ.get("FLOWS_BOT_MANIFEST_SCHEMA", next(ROOT.parent.glob("*/manifest.schema.json"), None))


class NotingApp(App):
    """A real Bolt app that also notes what is listened to, by the kind of payload or of event."""

    def __init__(self) -> None:
        super().__init__(client=AsyncWebClient(token="xoxb-none"), signing_secret="none")
        self.noted: defaultdict[str, set[str]] = defaultdict(set)

    def hears(self, kind: str, name: str, listener: AtOnce) -> None:
        self.noted[kind].add(name)
        super().hears(kind, name, listener)

    def waits_for(self, kind: str, name: str, listener: Acking) -> None:
        self.noted[kind].add(name)
        super().waits_for(kind, name, listener)

    def message_shortcut(self, callback_id: Any, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        self.noted["message_action"].add(callback_id)
        return cast("Callable[..., Any]", super().message_shortcut(callback_id, *args, **kwargs))

    def event(self, event: Any, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        self.noted["event"].add(event)
        return cast("Callable[..., Any]", super().event(event, *args, **kwargs))


@pytest.fixture
def app() -> NotingApp:
    return NotingApp()


@pytest.fixture
def listeners(app: NotingApp) -> Listeners:
    """With every listener there is, none of which has anything to do its work with."""
    nothing: Any = "U0FLOWSBOT"
    found = Listeners(app, "/flows", "@flows-bot", nothing, nothing, nothing)
    modules = [import_module(f"{package.__name__}.{module.name}") for module in iter_modules(package.__path__)]
    kinds = {kind for module in modules for name, kind in vars(module).items() if re.fullmatch(r"\w+Listener", name)}
    assert len(kinds) >= 12
    found.add(*(kind(*[nothing] * len(fields(kind))) for kind in kinds))
    return found


@pytest.fixture
def heard(app: NotingApp, listeners: Listeners) -> dict[str, set[str]]:
    assert listeners.app is app
    return app.noted


def _drawn(thing: Any) -> Iterator[str]:
    if isinstance(thing, dict):
        if "action_id" in thing:
            yield thing["action_id"]
        for part in thing.values():
            yield from _drawn(part)
    elif isinstance(thing, list):
        for part in thing:
            yield from _drawn(part)


def _typed_into(thing: Any) -> Iterator[str]:
    if isinstance(thing, dict):
        if thing.get("type") == "external_select":
            yield thing["action_id"]
        for part in thing.values():
            yield from _typed_into(part)
    elif isinstance(thing, list):
        for part in thing:
            yield from _typed_into(part)


def test_the_manifest_fits_slacks_schema() -> None:
    if SCHEMA is None:
        pytest.skip(
            "Slack's manifest schema is in no folder beside this checkout; FLOWS_BOT_MANIFEST_SCHEMA may name it"
        )
    jsonschema.validate(MANIFEST, json.loads(Path(SCHEMA).read_text(encoding="utf-8")))


def test_the_manifest_has_the_command_that_is_listened_to(heard: dict[str, set[str]]) -> None:
    commands = {command["command"] for command in MANIFEST["features"]["slash_commands"]}
    assert commands == heard["command"] == {Settings.model_fields["flows_bot_command"].default}


def test_every_request_that_can_be_typed_is_listened_to(listeners: Listeners) -> None:
    assert set(listeners.requests) == set(get_args(Request))


def test_the_usage_hint_is_the_grammars() -> None:
    assert MANIFEST["features"]["slash_commands"][0]["usage_hint"] == usage_hint()


def test_the_manifest_has_the_shortcuts_that_are_listened_to(heard: dict[str, set[str]]) -> None:
    shortcuts = MANIFEST["features"]["shortcuts"]
    assert [(shortcut["type"], shortcut["callback_id"]) for shortcut in shortcuts] == [
        ("message", ids.FIND),
        ("global", ids.STOP_SHORTCUT),
    ]
    assert (heard["message_action"], heard["shortcut"]) == ({ids.FIND}, {ids.STOP_SHORTCUT})
    assert all(len(shortcut["name"]) <= 24 for shortcut in shortcuts)


def test_every_menu_to_type_into_is_asked_for_its_options(heard: dict[str, set[str]]) -> None:
    drawn = {menu for message in every_screen() for menu in _typed_into(checked(message.text, message.blocks)[1])}
    assert drawn == heard["block_suggestion"]
    assert set(_typed_into(stop_form())) <= heard["block_suggestion"]


def test_menus_are_asked_for_at_the_same_address_in_http_mode() -> None:
    inside = yaml.safe_load(manifest("/flows", "https://bot.example.com"))["settings"]["interactivity"]
    assert inside["message_menu_options_url"] == inside["request_url"] == "https://bot.example.com/slack/events"
    if SCHEMA is not None:
        whole = yaml.safe_load(manifest("/flows", "https://bot.example.com"))
        jsonschema.validate(whole, json.loads(Path(SCHEMA).read_text(encoding="utf-8")))


def test_the_simulated_slack_has_the_shortcut_of_the_manifest() -> None:
    installed, by_manifest = Installation(), Installation()
    by_manifest.installs(MANIFEST)
    assert [(s.name, s.callback_id, s.type) for s in installed.shortcuts] == [
        (s.name, s.callback_id, s.type) for s in by_manifest.shortcuts
    ]


def test_the_manifest_subscribes_to_the_events_that_are_listened_to(heard: dict[str, set[str]]) -> None:
    subscribed = {event.partition(".")[0] for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]}
    assert subscribed == heard["event"] == {OPENED, *HEARD, *FOR_GOOD, MENTIONED, WRITTEN}


def test_every_button_that_is_drawn_is_listened_to_and_the_other_way_round(heard: dict[str, set[str]]) -> None:
    drawn = {action for message in every_screen() for action in _drawn(checked(message.text, message.blocks)[1])}
    assert drawn == heard["block_actions"] == ids.ACTION_IDS


def test_the_manifest_asks_for_no_more_scopes_than_are_explained() -> None:
    scopes = MANIFEST["oauth_config"]["scopes"]
    optional = [*PLACE_SCOPES, *HISTORY_SCOPES, FILE_SCOPE]
    assert scopes == {"bot": [*NEEDED, GROUP_SCOPE, *WORDS_SCOPES], "bot_optional": optional}


def test_the_home_that_is_listened_for_is_switched_on() -> None:
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"] is True
