"""What a person filled into a modal, as Slack reports it in `view.state.values`
(https://docs.slack.dev/reference/views#state).

Values may be given short: text for a text input, the option's value for a select or radio buttons, a list of values for
checkboxes; or long, as the full state object of Slack.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.demo.slack.messages import View

REQUIRED = "Please complete this required field."
_TICKED = {"checkboxes", "multi_static_select"}
_CHOSEN = {"static_select", "radio_buttons", "overflow"}


def state(view: View, values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the state with these values filled in, the initial ones elsewhere. Raises LookupError for unknown inputs."""
    filled: dict[str, dict[str, Any]] = {}
    for block, element in _elements(view):
        given = values.get(str(block["block_id"]), {})
        action_id = str(element["action_id"])
        filled.setdefault(str(block["block_id"]), {})[action_id] = _stated(element, given.get(action_id))
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
        if not any(answer.get(key) for key in ("value", "selected_option", "selected_options")):
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
    return kind.endswith("_input") or kind in _TICKED or kind in _CHOSEN - {"overflow"}


def _stated(element: Mapping[str, Any], given: Any) -> dict[str, Any]:
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
    value = element.get("initial_value") if given is None else given
    return {"type": kind, "value": value or None}


def _option(element: Mapping[str, Any], value: str) -> Mapping[str, Any]:
    groups = [element, *element.get("option_groups", ())]
    for option in (option for group in groups for option in group.get("options", ())):
        if option["value"] == value:
            return dict(option)
    raise LookupError(f"no option {value!r} in {element['action_id']}")
