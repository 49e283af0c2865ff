"""Resolve the one activeflow a person means.

A beginning of an id is looked for among the activeflows they may view only, so that nothing is given away about others;
it means the running one, if only one that runs begins so.
"""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from bot.activeflows.errors import Ambiguous, NotFound, NotOurs
from bot.activeflows.model import Activeflow, Kind, Picture, number_of
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.targets import Prefix, Target

MOST_CANDIDATES: Final = 10


async def find(voipbin: VoIPBIN, operator: Operator, target: Target) -> Activeflow:
    """The activeflow that is meant, read now.

    Raises ``NotPermitted`` (first of all, and for a flow this person may not view), ``NotFound``, ``Ambiguous``,
    ``NotOurs``, or a ``Failure``.
    """
    operator.require(Permission.VIEW)
    if isinstance(target, Prefix):
        activeflow = await _the_one(voipbin, operator, target)
    else:
        activeflow = await with_id(voipbin, target)
    if activeflow.customer_id != voipbin.customer.id:
        raise NotOurs(activeflow.id)
    operator.require(Permission.VIEW, activeflow.flow_id)
    return activeflow


def visible(
    voipbin: VoIPBIN, operator: Operator, activeflows: Iterable[Activeflow], kinds: Collection[Kind] | None = None
) -> list[Activeflow]:
    """Those of which anything may be shown to this person here; decided once for each flow.

    ``kinds``: all that are among them, if that is known; where each may be seen, so may all.
    """
    if kinds is not None:
        ours = voipbin.customer.id
        if all(customer == ours and operator.may(Permission.VIEW, flow) for customer, flow in kinds):
            return list(activeflows)
    us, decided, seen = number_of(voipbin.customer.id), dict[int, bool](), []
    for activeflow in activeflows:
        flow = number_of(activeflow.flow_id)
        may = decided.get(flow)
        if may is None:
            may = decided[flow] = operator.may(Permission.VIEW, activeflow.flow_id)
        if may and number_of(activeflow.customer_id) == us:
            seen.append(activeflow)
    return seen


async def with_id(voipbin: VoIPBIN, target: UUID) -> Activeflow:
    """By its own id, or that of the call it runs for; whether it may be shown is not asked. Raises ``NotFound``."""
    try:
        return await voipbin.activeflow(target)
    except NotFound:
        call = await voipbin.call(target)
    if call is None or call.activeflow_id is None:
        raise NotFound(str(target), "Neither an activeflow nor a call of an activeflow has this id")
    return await voipbin.activeflow(call.activeflow_id)


async def beginning(voipbin: VoIPBIN, operator: Operator, prefix: Prefix) -> tuple[list[Activeflow], Picture]:
    """Those they may view whose id begins so, and what was looked through."""
    picture = await voipbin.picture()
    found = fitting(voipbin, operator, prefix, picture)
    if not found:  # it may have begun since
        picture = await voipbin.picture(max_age=0.0)
        found = fitting(voipbin, operator, prefix, picture)
    return found, picture


async def _the_one(voipbin: VoIPBIN, operator: Operator, prefix: Prefix) -> Activeflow:
    found, picture = await beginning(voipbin, operator, prefix)
    if not found:
        raise NotFound(str(prefix), _looked(picture))
    if len(found) > 1:
        raise Ambiguous(str(prefix), found[:MOST_CANDIDATES])
    return await voipbin.activeflow(found[0].id)


def fitting(voipbin: VoIPBIN, operator: Operator, prefix: Prefix, picture: Picture) -> list[Activeflow]:
    """By their own ids, else by those of their calls; those that run, if any does."""
    seen = visible(voipbin, operator, picture.activeflows)
    found = [a for a in seen if prefix.fits(a.id)] or [a for a in seen if prefix.fits(a.reference.id)]
    return [a for a in found if a.running] or found


def _looked(picture: Picture) -> str:
    """How far the look went, in words."""
    number = len(picture.activeflows)
    if picture.complete_since is None:
        return f"I looked at all there are ({number})"
    since = f"{picture.complete_since:%Y-%m-%d %H:%M} UTC"
    return f"I looked at {number}, among them all that began since {since}; an older one is found by its whole id"
