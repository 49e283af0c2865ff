"""The rules for what lies inside a block: texts, buttons, menus, inputs
(https://docs.slack.dev/reference/block-kit/block-elements,
https://docs.slack.dev/reference/block-kit/composition-objects).

Each check yields pairs of (JSON pointer from its block, what is wrong); nothing when all is well.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Faulty = tuple[str, str]

_IN_SECTION = {"button", "overflow", "static_select", "radio_buttons", "checkboxes", "image", "datepicker"}
_IN_ACTIONS = {"button", "overflow", "static_select", "radio_buttons", "checkboxes", "datepicker", "workflow_button"}
_IN_ACTIONS |= {"users_select", "channels_select", "conversations_select", "external_select", "multi_static_select"}
_IN_INPUT = {"plain_text_input", "static_select", "multi_static_select", "radio_buttons", "checkboxes", "datepicker"}
_IN_INPUT |= {"number_input", "email_text_input", "url_text_input", "users_select", "conversations_select"}
_PLACES = {"section": _IN_SECTION | _IN_ACTIONS, "actions": _IN_ACTIONS, "input": _IN_INPUT}
_OPTIONS = {"overflow": 5, "static_select": 100, "multi_static_select": 100, "radio_buttons": 10, "checkboxes": 10}


def length(value: Any, at: str, *, most: int, least: int = 1) -> Iterator[Faulty]:
    """Check a string's length in characters."""
    if not isinstance(value, str):
        yield at, "must be a string"
    elif len(value) > most:
        yield at, f"must be less than {most + 1} characters"
    elif len(value) < least:
        yield at, f"must be more than {least - 1} characters"


def checked_text(value: Any, at: str, *, most: int, kinds: frozenset[str] | set[str] | None = None) -> Iterator[Faulty]:
    """Check a text object; `kinds` defaults to plain_text and mrkdwn."""
    if not isinstance(value, Mapping):
        yield at, "must provide an object"
        return
    if value.get("type") not in (kinds or {"plain_text", "mrkdwn"}):
        yield f"{at}/type", "must be a valid enum value"
    if "emoji" in value and value.get("type") == "mrkdwn":
        yield f"{at}/emoji", "invalid additional property: emoji"
    yield from length(value.get("text"), f"{at}/text", most=most)


def checked_list(value: Any, at: str, *, most: int, least: int = 1) -> Iterator[Faulty]:
    """Check a list's size."""
    if not isinstance(value, list):
        yield at, "must be an array"
    elif len(value) > most:
        yield at, f"no more than {most} items allowed"
    elif len(value) < least:
        yield at, f"must be at least {least} items"


def items(value: Any) -> list[Any]:
    """Return the list, or an empty one when it is something else, which `checked_list` reports."""
    return value if isinstance(value, list) else []


def image(value: Mapping[str, Any], at: str) -> Iterator[Faulty]:
    """Check an image, block or element alike."""
    if "slack_file" not in value:
        yield from length(value.get("image_url"), f"{at}/image_url", most=3000)
    yield from length(value.get("alt_text"), f"{at}/alt_text", most=2000)


def check(element: Any, at: str, place: str) -> Iterator[Faulty]:
    """Check one element in a `section`, `actions` or `input` block."""
    if not isinstance(element, Mapping):
        yield at, "must provide an object"
        return
    kind = str(element.get("type"))
    if kind not in _PLACES[place]:
        yield f"{at}/type", f"unsupported type: {kind}"
        return
    if kind == "image":
        yield from image(element, at)
        return
    yield from length(element.get("action_id", "x"), f"{at}/action_id", most=255)
    if kind == "button":
        yield from _button(element, at)
    if kind in _OPTIONS:
        yield from _menu(element, at, kind)
    if "placeholder" in element:
        yield from checked_text(element["placeholder"], f"{at}/placeholder", most=150, kinds={"plain_text"})
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{at}/confirm")
    if kind == "plain_text_input":
        yield from length(element.get("initial_value", ""), f"{at}/initial_value", most=3000, least=0)


def _button(button: Mapping[str, Any], at: str) -> Iterator[Faulty]:
    yield from checked_text(button.get("text"), f"{at}/text", most=75, kinds={"plain_text"})
    for key, most in (("value", 2000), ("url", 3000), ("accessibility_label", 75)):
        if key in button:
            yield from length(button[key], f"{at}/{key}", most=most)
    if button.get("style", "primary") not in {"primary", "danger"}:
        yield f"{at}/style", "must be a valid enum value"
    known = {"type", "text", "action_id", "value", "url", "style", "confirm", "accessibility_label"}
    for key in sorted(set(button) - known - {"visible_to_user_ids", "agent_prompt", "agent_prompt_display"}):
        yield f"{at}/{key}", f"invalid additional property: {key}"


def _menu(menu: Mapping[str, Any], at: str, kind: str) -> Iterator[Faulty]:
    if "option_groups" in menu:
        yield from checked_list(menu["option_groups"], f"{at}/option_groups", most=100)
        return
    yield from checked_list(menu.get("options"), f"{at}/options", most=_OPTIONS[kind])
    for index, option in enumerate(items(menu.get("options"))):
        yield from _option(option, f"{at}/options/{index}", kind)


def _option(option: Any, at: str, kind: str) -> Iterator[Faulty]:
    if not isinstance(option, Mapping):
        yield at, "must provide an object"
        return
    rich = kind in {"radio_buttons", "checkboxes"}
    yield from checked_text(option.get("text"), f"{at}/text", most=75, kinds=None if rich else {"plain_text"})
    yield from length(option.get("value"), f"{at}/value", most=150)
    if "description" in option:
        yield from checked_text(
            option["description"], f"{at}/description", most=75, kinds=None if rich else {"plain_text"}
        )


def _confirm(confirm: Any, at: str) -> Iterator[Faulty]:
    if not isinstance(confirm, Mapping):
        yield at, "must provide an object"
        return
    for key, most in (("title", 100), ("confirm", 30), ("deny", 30)):
        yield from checked_text(confirm.get(key), f"{at}/{key}", most=most, kinds={"plain_text"})
    yield from checked_text(confirm.get("text"), f"{at}/text", most=300)
    if confirm.get("style", "primary") not in {"primary", "danger"}:
        yield f"{at}/style", "must be a valid enum value"
