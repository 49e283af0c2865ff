"""views.*: modals and the Home tab (https://docs.slack.dev/reference/methods/views.open and its siblings)."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.demo.slack import block_kit, inputs, payloads
from bot.demo.slack.delivery import TROUBLE, Delivery
from bot.demo.slack.messages import View, with_ids
from bot.demo.slack.method import Arguments, Method, Refused
from bot.demo.slack.payloads import view_json
from bot.demo.slack.people import User

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace

if TYPE_CHECKING:
    from bot.demo.slack.workspace import Workspace


DEEPEST_STACK = 3
LARGEST_VIEW = 250_000  # https://docs.slack.dev/reference/methods/views.publish#errors


def open_view(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Open a modal for the person whose trigger this is, in place of what they had open."""
    content = _content(args.given.get("view"))
    user, place = workspace.triggers.take(args.needed("trigger_id"))
    view = opened(workspace, user, content, place)
    workspace.stack(user, [view])
    return _answer(workspace, view)


def push_view(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Lay a modal on top of the one in which the trigger came to be."""
    content = _content(args.given.get("view"))
    user, _ = workspace.triggers.take(args.needed("trigger_id"))
    return _answer(workspace, pushed(workspace, user, content))


def update_view(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Put other content into an open modal, if `hash` (when given) is still the one on the screen."""
    content = _content(args.given.get("view"))
    key, external = args.text("view_id"), args.text("external_id")
    open_views = [view for user in workspace.users for view in workspace.views_of(user)]
    view = next((v for v in open_views if v.id == key or (external and v.external_id == external)), None)
    if view is None:
        raise Refused("not_found")
    _same_hash(view, args)
    return _answer(workspace, updated(workspace, view, content))


def publish_view(workspace: "Workspace", args: Arguments) -> dict[str, Any]:
    """Show a Home tab to one person."""
    user = args.needed("user_id")
    content = _content(args.given.get("view"))
    if user not in workspace.users:
        raise Refused("user_not_found")
    if not workspace.home_tab_enabled:
        raise Refused("not_enabled")
    if content["type"] != "home":
        raise Refused("invalid_arguments", messages=["must be home [json-pointer:/view/type]"])
    present = workspace.home_of(user)
    if present is None:
        view = opened(workspace, user, content)
    else:
        _same_hash(present, args)
        view = replace(present, content=_sealed(content), hash=_new_hash(workspace))
    workspace.publish(view)
    return _answer(workspace, view)


def opened(workspace: "Workspace", user: str, content: Mapping[str, Any], place: str = "") -> View:
    """Return a fresh view with this content, not on any screen yet; `place`: the conversation they look at."""
    id_ = "V" + secrets.token_hex(5).upper()
    return View(id_, user, _sealed(content), _new_hash(workspace), root_id=id_, place=place, names=workspace.names)


def pushed(workspace: "Workspace", user: str, content: Mapping[str, Any]) -> View:
    """Lay a fresh view on this person's stack. Raises Refused `push_limit_reached`."""
    stack = workspace.views_of(user)
    if len(stack) >= DEEPEST_STACK:
        raise Refused("push_limit_reached")
    view = opened(workspace, user, content)
    if stack:
        view = replace(view, root_id=stack[0].id, previous_id=stack[-1].id)
    workspace.stack(user, [*stack, view])
    return view


def updated(workspace: "Workspace", view: View, content: Mapping[str, Any]) -> View:
    """Put other content into a view that is open."""
    fresh = replace(view, content=_sealed(content), hash=_new_hash(workspace), errors={})
    workspace.put_view(fresh)
    return fresh


def checked_content(view: Any) -> Mapping[str, Any]:
    """Return a view that Slack would show. Raises Refused `view_too_large`, or `invalid_arguments` with pointers."""
    if len(json.dumps(view)) > LARGEST_VIEW:
        raise Refused("view_too_large")
    messages = block_kit.check_view(view)
    if messages:
        raise Refused("invalid_arguments", messages=messages)
    content: Mapping[str, Any] = view
    return content


def _content(view: Any) -> Mapping[str, Any]:
    if view is None:
        raise Refused("invalid_arguments", messages=["missing required field: view"])
    return checked_content(view)


def _sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    return {**content, "blocks": with_ids(content["blocks"])}


def _new_hash(workspace: "Workspace") -> str:
    return f"{int(workspace.now())}.{secrets.token_hex(4)}"


def _same_hash(view: View, args: Arguments) -> None:
    if args.text("hash") and args.text("hash") != view.hash:
        raise Refused("hash_conflict")


def _answer(workspace: "Workspace", view: View) -> dict[str, Any]:
    return {"view": view_json(workspace, view, inputs.state(view, {}))}


METHODS = {
    "views.open": Method(open_view),
    "views.push": Method(push_view),
    "views.update": Method(update_view),
    "views.publish": Method(publish_view),
}


# ---------------------------------------------------------------- modals
# What happens when somebody submits or closes a modal.
#
# Promises: Slack's own checks come first (required inputs, nothing is sent); then `view_submission`, whose answer may
# show errors, put other content in place, push, or clear (https://docs.slack.dev/surfaces/modals#response_actions); an
# empty answer closes the modal; an answer that makes no sense leaves it open with Slack's line about trouble
# connecting.


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
