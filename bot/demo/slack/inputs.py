"""What a person fills into a modal, the permission to open one, and the options of a menu that the bot is asked for.

Values are reported in `view.state.values` (https://docs.slack.dev/reference/views#state). They may be given short: text
for a text input, the option's value for a select or radio buttons, a list of values for checkboxes; or long, as the
full state object of Slack.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.demo.slack import block_elements, payloads
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.messages import Message, View
from bot.demo.slack.method import Refused

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


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
    """Return the state with these values filled in, the initial ones elsewhere. Raises LookupError for unknown
    inputs.
    """
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


# ---------------------------------------------------------------- triggers
# trigger_ids: the permission to open one modal, three seconds long.
#
# Promises: a trigger works once and for 3 s, then views.open answers `exchanged_trigger_id` or `expired_trigger_id`
# (https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses).


@dataclass(slots=True)
class _Trigger:
    user: str
    view: str | None
    place: str
    expires: float
    used: bool = False


@dataclass
class Triggers:
    """All triggers handed out; `seconds` is how long each lives by the clock `now`."""

    now: Callable[[], float]
    seconds: float = 3.0
    _given: dict[str, _Trigger] = field(default_factory=dict)

    def give(self, user: str, view: str | None = None, *, place: str = "") -> str:
        """Return a fresh trigger_id for what `user` just did, inside the modal `view` if there, or looking at
        `place`.
        """
        id_ = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._given[id_] = _Trigger(user, view, place, self.now() + self.seconds)
        return id_

    def take(self, id_: str) -> tuple[str, str]:
        """Use the trigger up: the user who acted, and the conversation they looked at. Raises Refused when that cannot
        be.
        """
        trigger = self._given.get(id_)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.now() > trigger.expires:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger.user, trigger.place


# ---------------------------------------------------------------- suggestions
# What an external menu offers while somebody types in it: asked of the bot each time.
#
# Promises: a `block_suggestion` is delivered like any interaction, once the text has `min_query_length` characters (3
# where the app says nothing); the bot's answer is the body of its own answer, `options` or `option_groups`, within the
# same 3 s; what Slack would not show is refused as a whole, and only what was offered last can be chosen.
# https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select

SHORTEST = 3
Options = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class MenuOptions:
    """What came of a text in the menu: the delivery, and the groups of options that are on the screen now."""

    delivery: Delivery
    groups: tuple[Mapping[str, Any], ...] = ()

    @property
    def options(self) -> Options:
        """All of them, in order."""
        return tuple(option for group in self.groups for option in group["options"])

    @property
    def words(self) -> str:
        """All that a reader sees in the open menu."""
        lines: list[str] = []
        for group in self.groups:
            lines += [group["label"]["text"]] if "label" in group else []
            lines += [" ".join(each["text"] for each in _texts(option)) for option in group["options"]]
        return "\n".join(lines)


def menu_in(shown: Message | View, action_id: str, block_id: str = "") -> tuple[Mapping[str, Any], str]:
    """Return the external menu with this `action_id`, and the id of its block. Raises LookupError."""
    for block in shown.blocks:
        for element in (block.get("accessory"), block.get("element"), *block.get("elements", ())):
            if isinstance(element, Mapping) and element.get("action_id") == action_id:
                found = str(block["block_id"])
                if element["type"] == "external_select" and block_id in {"", found}:
                    return element, found
    raise LookupError(f"no external menu {action_id!r} here")


async def suggested(
    workspace: "Workspace",
    user: str,
    shown: Message | View,
    menu: Mapping[str, Any],
    block_id: str,
    typed: str,
    values: Mapping[str, Mapping[str, Any]],
) -> MenuOptions:
    """Ask the bot; `values` are what is filled in in the rest of a modal."""
    if len(typed) < int(menu.get("min_query_length", SHORTEST)):
        return MenuOptions(Delivery("block_suggestion", user))
    person, asked = workspace.users[user], {"action_id": menu["action_id"], "block_id": block_id, "value": typed}
    if isinstance(shown, View):
        filled = state(shown, values, workspace.offered_in(user, shown))
        payload = payloads.suggestion_in_view(workspace, person, shown, filled, asked)
    else:
        payload = payloads.suggestion_in_message(workspace, person, shown, asked)
    delivery = await workspace.interacts("block_suggestion", user, payload, "Loading the options failed with the error")
    if delivery.error is not None:
        return MenuOptions(delivery)
    try:
        groups = tuple(_groups(json.loads(delivery.answer or b"{}")))
    except (ValueError, TypeError, KeyError) as unusable:
        return MenuOptions(workspace.shows_error(delivery, f"Loading the options failed: {unusable}"))
    return MenuOptions(delivery, groups)


def _groups(answer: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the groups; options without groups are one without a label. Raises ValueError for what Slack would
    refuse.
    """
    if not isinstance(answer, Mapping) or len({"options", "option_groups"} & answer.keys()) != 1:
        raise ValueError("neither options nor option_groups")
    faults = list(block_elements.offered(answer))
    if faults:
        raise ValueError("; ".join(f"{what} [json-pointer:{at}]" for at, what in faults))
    groups: Sequence[Mapping[str, Any]] = answer.get("option_groups", [{"options": answer.get("options")}])
    yield from groups


def _texts(option: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield option["text"]
    if "description" in option:
        yield option["description"]
