"""What happens when somebody submits or closes a modal.

Promises: Slack's own checks come first (required inputs, nothing is sent); then `view_submission`, whose answer may show
errors, put other content in place, push, or clear (https://docs.slack.dev/surfaces/modals#response_actions); an empty
answer closes the modal; an answer that makes no sense leaves it open with Slack's line about trouble connecting.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.demo.slack import inputs, payloads
from bot.demo.slack.delivery import TROUBLE, Delivery
from bot.demo.slack.messages import View
from bot.demo.slack.people import User
from bot.demo.slack.refusals import Refused
from bot.demo.slack.view_methods import checked_content, pushed, updated

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


async def submit(workspace: "Workspace", user: User, view: View, values: Mapping[str, Mapping[str, Any]]) -> Delivery:
    """Submit the modal as it stands now. Raises LookupError when it is not open any more."""
    present = _open(workspace, user, view)
    filled = inputs.state(present, values, workspace.offered_in(user.id, present))
    complaints = inputs.missing(present, filled)
    if complaints:
        workspace.put_view(replace(present, errors=complaints))
        return Delivery("view_submission", user.id, error=inputs.REQUIRED)
    trigger = workspace.triggers.give(user.id, present.id)
    urls = [
        {
            "block_id": block_id,
            "action_id": action_id,
            "channel_id": place,
            "response_url": workspace.url
            + workspace.response_urls.give("app", workspace.team_id, user=user.id, channel=place),
        }
        for block_id, action_id, place in inputs.places_to_answer(present, filled)
    ]
    payload = payloads.submission(workspace, user, present, filled, trigger_id=trigger, response_urls=urls)
    delivery = await workspace.interacts("view_submission", user.id, payload, TROUBLE)
    if delivery.error is None:
        try:
            _obey(workspace, user, present, delivery.answer)
        except (Refused, ValueError, TypeError, KeyError) as unusable:
            return workspace.shows_error(delivery, f'{TROUBLE} "{unusable}"')
    return delivery


async def close(workspace: "Workspace", user: User, view: View, *, everything: bool) -> Delivery:
    """Close the modal, or the whole stack; the app hears of it only if the modal said `notify_on_close`."""
    present = _open(workspace, user, view)
    all_of_it = everything or bool(present.content.get("clear_on_close"))
    workspace.stack(user.id, [] if all_of_it else [v for v in workspace.views_of(user.id) if v.id != view.id])
    if not present.content.get("notify_on_close"):
        return Delivery("view_closed", user.id)
    payload = payloads.closing(workspace, user, present, cleared=all_of_it)
    return await workspace.interacts("view_closed", user.id, payload, TROUBLE)


def _open(workspace: "Workspace", user: User, view: View) -> View:
    for present in workspace.views_of(user.id):
        if present.id == view.id:
            return present
    raise LookupError(f"{user.id} has no modal {view.id} open")


def _obey(workspace: "Workspace", user: User, view: View, answer: bytes) -> None:
    order = json.loads(answer) if answer.strip() else {}
    if not isinstance(order, Mapping):
        raise ValueError("the answer is no object")  # noqa: TRY004  # to the person it is all the same
    match order.get("response_action"):
        case None:
            workspace.stack(user.id, [v for v in workspace.views_of(user.id) if v.id != view.id])
        case "clear":
            workspace.stack(user.id, [])
        case "update":
            updated(workspace, view, checked_content(order["view"]))
        case "push":
            pushed(workspace, user.id, checked_content(order["view"]))
        case "errors":
            _complain(workspace, view, order["errors"])
        case other:
            raise ValueError(f"unknown response_action {other}")


def _complain(workspace: "Workspace", view: View, errors: Mapping[str, str]) -> None:
    known = {str(block["block_id"]) for block in view.blocks if block["type"] == "input"}
    if not errors or not set(errors) <= known:
        raise ValueError(f"errors for {sorted(errors)}, but the inputs are {sorted(known)}")
    workspace.put_view(replace(view, errors=dict(errors)))
