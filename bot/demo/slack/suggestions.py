"""What an external menu offers while somebody types in it: asked of the bot each time.

Promises: a `block_suggestion` is delivered like any interaction, once the text has `min_query_length` characters (3 where
the app says nothing); the bot's answer is the body of its own answer, `options` or `option_groups`, within the same 3 s; what
Slack would not show is refused as a whole, and only what was offered last can be chosen.
https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.demo.slack import block_elements, inputs, payloads
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.messages import Message, View

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace

SHORTEST = 3
Options = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Suggested:
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
) -> Suggested:
    """Ask the bot; `values` are what is filled in in the rest of a modal."""
    if len(typed) < int(menu.get("min_query_length", SHORTEST)):
        return Suggested(Delivery("block_suggestion", user))
    person, asked = workspace.users[user], {"action_id": menu["action_id"], "block_id": block_id, "value": typed}
    if isinstance(shown, View):
        state = inputs.state(shown, values, workspace.offered_in(user, shown))
        payload = payloads.suggestion_in_view(workspace, person, shown, state, asked)
    else:
        payload = payloads.suggestion_in_message(workspace, person, shown, asked)
    delivery = await workspace.interacts("block_suggestion", user, payload, "Loading the options failed with the error")
    if delivery.error is not None:
        return Suggested(delivery)
    try:
        groups = tuple(_groups(json.loads(delivery.answer or b"{}")))
    except (ValueError, TypeError, KeyError) as unusable:
        return Suggested(workspace.shows_error(delivery, f"Loading the options failed: {unusable}"))
    return Suggested(delivery, groups)


def _groups(answer: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the groups; options without groups are one without a label. Raises ValueError for what Slack would refuse."""
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
