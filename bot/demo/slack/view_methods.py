"""views.*: modals and the Home tab (https://docs.slack.dev/reference/methods/views.open and its siblings)."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.demo.slack import block_kit, inputs
from bot.demo.slack.messages import View
from bot.demo.slack.method import Arguments, Method
from bot.demo.slack.payloads import view_json
from bot.demo.slack.refusals import Refused
from bot.demo.slack.seal import with_ids

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
