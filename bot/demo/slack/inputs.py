"""What a person filled into a modal, as Slack reports it in `view.state.values`
(https://docs.slack.dev/reference/views#state).

Values may be given short: text for a text input, the option's value for a select or radio buttons, a list of values for
checkboxes; or long, as the full state object of Slack.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bot.demo.slack.messages import View

REQUIRED = "Please complete this required field."
_TICKED = {"checkboxes", "multi_static_select"}
_CHOSEN = {"static_select", "external_select", "radio_buttons", "overflow"}
_NAMED = {
    "conversations_select": "conversation",
    "channels_select": "channel",
    "users_select": "user",
}
"""Menus of what Slack knows itself; state and initial value are called after these."""
Offered = Mapping[tuple[str, str], Iterable[Mapping[str, Any]]]
"""By block_id and action_id of an external menu, the options that the bot offered last."""


def state(
    view: View, values: Mapping[str, Mapping[str, Any]], offered: Offered = MappingProxyType({})
) -> dict[str, dict[str, Any]]:
    """Return the state with these values filled in, the initial ones elsewhere. Raises LookupError for unknown inputs."""
    filled: dict[str, dict[str, Any]] = {}
    for block, element in _elements(view):
        given = values.get(str(block["block_id"]), {})
        action_id = str(element["action_id"])
        there = dict(element)
        if element["type"] == "external_select":
            there["options"] = list(offered.get((str(block["block_id"]), action_id), ()))
        filled.setdefault(str(block["block_id"]), {})[action_id] = _stated(there, given.get(action_id), view.place)
    for block_id, given in values.items():
        for action_id in given:
            if action_id not in filled.get(block_id, {}):
                raise LookupError(f"the view has no input {block_id}/{action_id}, only {filled}")
    return filled


def missing(view: View, filled: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what Slack's client itself complains about before it sends anything: block_id → text."""
    complaints = {}
    for block, element in _elements(view):
        if block["type"] != "input" or block.get("optional"):
            continue
        answer = filled[str(block["block_id"])][str(element["action_id"])]
        chosen = ("value", "selected_option", "selected_options", *(f"selected_{name}" for name in _NAMED.values()))
        if not any(answer.get(key) for key in chosen):
            complaints[str(block["block_id"])] = REQUIRED
        elif len(str(answer.get("value") or "")) < int(element.get("min_length", 0)):
            complaints[str(block["block_id"])] = f"Please enter at least {element['min_length']} characters."
    return complaints


def _elements(view: View) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for block in view.blocks:
        inside = [block.get("element"), block.get("accessory"), *block.get("elements", ())]
        for element in inside:
            if isinstance(element, Mapping) and _keeps_state(str(element.get("type"))):
                yield block, element


def _keeps_state(kind: str) -> bool:
    return kind.endswith("_input") or kind in _TICKED or kind in _NAMED or kind in _CHOSEN - {"overflow"}


def places_to_answer(view: View, filled: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield block_id, action_id and id of each conversation that was chosen in a menu with `response_url_enabled`."""
    for block, element in _elements(view):
        if element.get("response_url_enabled") and block["type"] == "input":
            block_id, action_id = str(block["block_id"]), str(element["action_id"])
            answer = filled[block_id][action_id]
            place = answer.get(f"selected_{_NAMED[str(element['type'])]}")
            if place:
                yield block_id, action_id, str(place)


def _stated(element: Mapping[str, Any], given: Any, place: str) -> dict[str, Any]:
    kind = str(element["type"])
    if isinstance(given, Mapping):
        return {"type": kind, **given}
    if kind in _TICKED:
        chosen = (
            [_option(element, value) for value in given] if given is not None else element.get("initial_options", [])
        )
        return {"type": kind, "selected_options": chosen}
    if kind in _CHOSEN:
        initial = element.get("initial_option")
        return {"type": kind, "selected_option": initial if given is None else _option(element, given)}
    if kind in _NAMED:
        usual = place if element.get("default_to_current_conversation") else None
        initial = element.get(f"initial_{_NAMED[kind]}") or usual or None
        return {"type": kind, f"selected_{_NAMED[kind]}": initial if given is None else given}
    value = element.get("initial_value") if given is None else given
    return {"type": kind, "value": value or None}


def _option(element: Mapping[str, Any], value: str) -> Mapping[str, Any]:
    groups = [element, *element.get("option_groups", ())]
    for option in (option for group in groups for option in group.get("options", ())):
        if option["value"] == value:
            return {key: part for key, part in option.items() if key != "description"}  # a state has none
    raise LookupError(f"no option {value!r} in {element['action_id']}")
