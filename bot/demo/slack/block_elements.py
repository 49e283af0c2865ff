"""The rules for what lies inside a block: buttons, menus, inputs, images
(https://docs.slack.dev/reference/block-kit/block-elements).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# ---------------------------------------------------------------- block rules
# What the rules of blocks, elements and texts are made of
# (https://docs.slack.dev/reference/block-kit/composition-objects).
#
# Each check yields pairs of (JSON pointer from its block, what is wrong); nothing when all is well. Whatever JSON
# comes, none of them raises.

Faulty = tuple[str, str]


def kind_of(thing: Any) -> str:
    """Return the `type` of an object, or '' when it has none that is a string."""
    kind = thing.get("type") if isinstance(thing, Mapping) else None
    return kind if isinstance(kind, str) else ""


def items(value: Any) -> list[Any]:
    """Return the list, or an empty one when it is something else, which `checked_list` reports."""
    return value if isinstance(value, list) else []


def only(thing: Mapping[str, Any], known: Iterable[str], at: str = "") -> Iterator[Faulty]:
    """Check that an object has no property that Slack does not know."""
    for key in sorted(set(thing) - set(known)):
        yield f"{at}/{key}", f"invalid additional property: {key}"


def one_of(value: Any, at: str, choices: Iterable[str]) -> Iterator[Faulty]:
    """Check that a value is one of a few words."""
    if not isinstance(value, str) or value not in set(choices):
        yield at, "must be a valid enum value"


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
    yield from one_of(value.get("type"), f"{at}/type", kinds or {"plain_text", "mrkdwn"})
    yield from only(value, {"type", "text", "verbatim" if kind_of(value) == "mrkdwn" else "emoji"}, at)
    for key in ("emoji", "verbatim"):
        if not isinstance(value.get(key, False), bool):
            yield f"{at}/{key}", "must be a boolean"
    yield from length(value.get("text"), f"{at}/text", most=most)


def checked_list(value: Any, at: str, *, most: int, least: int = 1) -> Iterator[Faulty]:
    """Check a list's size."""
    if not isinstance(value, list):
        yield at, "must be an array"
    elif len(value) > most:
        yield at, f"no more than {most} items allowed"
    elif len(value) < least:
        yield at, f"must be at least {least} items"


def unique(things: Iterable[Any], key: str, at: str) -> Iterator[Faulty]:
    """Check that no two of these objects bear the same id under `key`."""
    ids = [thing[key] for thing in things if isinstance(thing, Mapping) and isinstance(thing.get(key), str)]
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield at, f"`{key}` {id_} already exists"


# ---------------------------------------------------------------- block elements

_PLAIN = {"plain_text"}
_IN_ACTIONS = {"button", "overflow", "static_select", "radio_buttons", "checkboxes", "datepicker", "workflow_button"}
_IN_ACTIONS |= {"users_select", "channels_select", "conversations_select", "external_select", "multi_static_select"}
_IN_INPUT = {"plain_text_input", "static_select", "multi_static_select", "radio_buttons", "checkboxes", "datepicker"}
_IN_INPUT |= {"number_input", "email_text_input", "url_text_input", "users_select", "conversations_select"}
_IN_INPUT |= {"external_select"}
_PLACES = {"section": _IN_ACTIONS | {"image"}, "actions": _IN_ACTIONS, "input": _IN_INPUT}
_OPTIONS = {"overflow": 5, "static_select": 100, "multi_static_select": 100, "radio_buttons": 10, "checkboxes": 10}
_MOST_OFFERED = 100

_ANY = {"type", "action_id", "confirm"}
_FIELD = {*_ANY, "placeholder", "focus_on_load"}
_TYPED = {*_FIELD, "initial_value", "dispatch_action_config"}
_LOOK = {"text", "style", "accessibility_label", "visible_to_user_ids"}
_KEYS = {
    "button": {*_ANY, *_LOOK, "value", "url", "agent_prompt", "agent_prompt_display"},
    "workflow_button": {*_ANY, *_LOOK, "workflow"},
    "image": {"type", "image_url", "alt_text", "slack_file"},
    "overflow": {*_ANY, "options"},
    "static_select": {*_FIELD, "options", "option_groups", "initial_option"},
    "multi_static_select": {*_FIELD, "options", "option_groups", "initial_options", "max_selected_items"},
    "radio_buttons": {*_FIELD, "options", "initial_option"},
    "checkboxes": {*_FIELD, "options", "initial_options"},
    "datepicker": {*_FIELD, "initial_date"},
    "users_select": {*_FIELD, "initial_user"},
    "channels_select": {*_FIELD, "initial_channel", "response_url_enabled"},
    "conversations_select": {*_FIELD, "initial_conversation", "response_url_enabled", "filter"}
    | {"default_to_current_conversation"},
    "external_select": {*_FIELD, "initial_option", "min_query_length"},
    "plain_text_input": {*_TYPED, "multiline", "min_length", "max_length"},
    "number_input": {*_TYPED, "is_decimal_allowed", "min_value", "max_value"},
    "email_text_input": _TYPED,
    "url_text_input": _TYPED,
}


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
    kind = kind_of(element)
    if kind not in _PLACES[place]:
        yield f"{at}/type", f"unsupported type: {kind}"
        return
    yield from only(element, _KEYS[kind], at)
    if kind == "image":
        yield from image(element, at)
        return
    if kind in {"button", "workflow_button"}:
        yield from _button(element, at)
    if kind in _OPTIONS:
        yield from _menu(element, at, kind)
    yield from _asked(element, at)


def offered(answer: Mapping[str, Any]) -> Iterator[Faulty]:
    """Check what a bot offers in an external menu: `options`, of which there may be none, or `option_groups`."""
    groups = answer.get("option_groups")
    if groups is None:
        yield from _listed(answer.get("options"), "/options", least=0)
        return
    yield from checked_list(groups, "/option_groups", most=_MOST_OFFERED, least=0)
    for index, group in enumerate(items(groups)):
        where = f"/option_groups/{index}"
        if not isinstance(group, Mapping):
            yield where, "must provide an object"
            continue
        yield from only(group, {"label", "options"}, where)
        yield from checked_text(group.get("label"), f"{where}/label", most=75, kinds=_PLAIN)
        yield from _listed(group.get("options"), f"{where}/options", least=1)
    inside = [len(items(group.get("options"))) for group in items(groups) if isinstance(group, Mapping)]
    if sum(inside) > _MOST_OFFERED:
        yield "/option_groups", f"no more than {_MOST_OFFERED} options allowed"


def _listed(options: Any, at: str, *, least: int) -> Iterator[Faulty]:
    yield from checked_list(options, at, most=_MOST_OFFERED, least=least)
    for index, option in enumerate(items(options)):
        yield from _option(option, f"{at}/{index}", "static_select")


def _asked(element: Mapping[str, Any], at: str) -> Iterator[Faulty]:
    yield from length(element.get("action_id", "x"), f"{at}/action_id", most=255)
    if "placeholder" in element:
        yield from checked_text(element["placeholder"], f"{at}/placeholder", most=150, kinds=_PLAIN)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{at}/confirm")
    if "initial_value" in element:
        yield from length(element["initial_value"], f"{at}/initial_value", most=3000, least=0)
    for key in ("min_length", "max_length"):
        if not isinstance(element.get(key, 1), int) or not 0 <= element.get(key, 1) <= 3000:
            yield f"{at}/{key}", "must be between 0 and 3000"


def _button(button: Mapping[str, Any], at: str) -> Iterator[Faulty]:
    yield from checked_text(button.get("text"), f"{at}/text", most=75, kinds=_PLAIN)
    for key, most in (("value", 2000), ("url", 3000), ("accessibility_label", 75)):
        if key in button:
            yield from length(button[key], f"{at}/{key}", most=most)
    yield from one_of(button.get("style", "primary"), f"{at}/style", {"primary", "danger"})


def _menu(menu: Mapping[str, Any], at: str, kind: str) -> Iterator[Faulty]:
    groups = menu.get("option_groups")
    if groups is None:
        yield from _options(menu.get("options"), f"{at}/options", kind)
    else:
        yield from checked_list(groups, f"{at}/option_groups", most=100)
    for index, group in enumerate(items(groups)):
        where = f"{at}/option_groups/{index}"
        if not isinstance(group, Mapping):
            yield where, "must provide an object"
            continue
        yield from checked_text(group.get("label"), f"{where}/label", most=75, kinds=_PLAIN)
        yield from _options(group.get("options"), f"{where}/options", kind)
    if "initial_option" in menu:
        yield from _option(menu["initial_option"], f"{at}/initial_option", kind)
    if "initial_options" in menu:
        yield from _options(menu["initial_options"], f"{at}/initial_options", kind)


def _options(options: Any, at: str, kind: str) -> Iterator[Faulty]:
    yield from checked_list(options, at, most=_OPTIONS[kind])
    for index, option in enumerate(items(options)):
        yield from _option(option, f"{at}/{index}", kind)


def _option(option: Any, at: str, kind: str) -> Iterator[Faulty]:
    if not isinstance(option, Mapping):
        yield at, "must provide an object"
        return
    yield from only(option, {"text", "value", "description", "url"}, at)
    kinds = None if kind in {"radio_buttons", "checkboxes"} else _PLAIN
    yield from checked_text(option.get("text"), f"{at}/text", most=75, kinds=kinds)
    yield from length(option.get("value"), f"{at}/value", most=150)
    if "description" in option:
        yield from checked_text(option["description"], f"{at}/description", most=75, kinds=kinds)


def _confirm(confirm: Any, at: str) -> Iterator[Faulty]:
    if not isinstance(confirm, Mapping):
        yield at, "must provide an object"
        return
    yield from only(confirm, {"title", "text", "confirm", "deny", "style"}, at)
    for key, most in (("title", 100), ("confirm", 30), ("deny", 30)):
        yield from checked_text(confirm.get(key), f"{at}/{key}", most=most, kinds=_PLAIN)
    yield from checked_text(confirm.get("text"), f"{at}/text", most=300)
    yield from one_of(confirm.get("style", "primary"), f"{at}/style", {"primary", "danger"})
