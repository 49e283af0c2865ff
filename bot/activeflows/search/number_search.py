"""Find what one person may learn from the calls that have a number.

A call whose activeflow is hidden from them is answered like no call at all: neither it, nor how many there are, nor that the
number was on the line. What was looked for by its last digits is shown only where they may reveal the caller anyway.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from bot.activeflows.callers import CallsLooked
from bot.activeflows.model import Activeflow, Picture
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.resolution import visible
from bot.activeflows.search.call_trace import traced
from bot.activeflows.search.ranking import Match


@dataclass(frozen=True, slots=True)
class Shown:
    """The activeflows, why each is there, and the calls that were looked through with those found that are shown."""

    activeflows: tuple[tuple[Activeflow, Match], ...]
    calls: CallsLooked
    unread: int = 0
    without: int = 0


async def shown(voipbin: VoIPBIN, operator: Operator, calls: CallsLooked, picture: Picture, *, within: float) -> Shown:
    """``within``: seconds each look-up may take."""
    by_ending = operator.may(Permission.REVEAL)
    led = await traced(voipbin, [call for call in calls.found if call.whole or by_ending], picture, within=within)
    may_view = {activeflow.id for activeflow in visible(voipbin, operator, (a for a, _ in led.activeflows))}
    activeflows = tuple(
        (activeflow, match)
        for activeflow, match in led.activeflows
        if activeflow.id in may_view and _in_whole(operator, activeflow, match)
    )
    if operator.may(Permission.VIEW, None) and (
        operator.may(Permission.REVEAL, None) or all(call.whole for call in led.calls)
    ):  # nothing is hidden from them
        return Shown(activeflows, replace(calls, found=led.calls), led.unread, led.without)
    known: set[UUID | None] = {activeflow.id for activeflow, _ in activeflows}
    known |= {match.call.id for _, match in activeflows if match.call is not None}
    found = tuple(call for call in led.calls if call.id in known or call.activeflow_id in known)
    return Shown(activeflows, replace(calls, found=found))


def _in_whole(operator: Operator, activeflow: Activeflow, match: Match) -> bool:
    return match.call is None or match.call.whole or operator.may(Permission.REVEAL, activeflow.flow_id)
