"""Find what started the members of a bulk stop, and whether that goes on: campaigns that dial, numbers bound to their flows.

Only what VoIPBIN says goes on is told: what could not be read, or is not among the newest hundred of its lists, is not.
It costs two requests, and one more for each campaign, five at most.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from bot.activeflows.bulk.bulk_stop import Bulk, Origin
from bot.activeflows.bulk.ports import Sources
from bot.activeflows.queries.inspection import in_time

_MOST: Final = 3
"""Campaigns that are asked about: those of the most members."""


class OriginLookup:
    """Reads; nothing is changed here."""

    def __init__(self, sources: Sources, *, now: Callable[[], datetime], within: float = 10.0) -> None:
        """``within``: seconds for each of two rounds of questions."""
        self._sources, self._now, self._within = sources, now, within

    async def of(self, bulk: Bulk) -> Origin:
        """What goes on. Raises nothing that VoIPBIN does."""
        at = self._now()  # what is said to be still so was so then
        dialled, bound = await asyncio.gather(
            in_time(self._sources.campaign_calls, self._within), in_time(self._sources.bound_flows, self._within)
        )
        members = {member.activeflow_id for member in bulk.members}
        counts = Counter(call.campaign_id for call in dialled.value or () if call.activeflow_id in members)
        most = [campaign_id for campaign_id, _ in counts.most_common(_MOST)]
        looks = await asyncio.gather(*(in_time(partial(self._sources.campaign, id_), self._within) for id_ in most))
        campaigns = [look.value for look in looks if look.value is not None]
        names = {member.flow_id: member.flow_name for member in bulk.members if member.is_call and member.flow_id}
        numbers = Counter(flow_id for flow_id in bound.value or () if flow_id in names)
        return Origin(
            campaigns=tuple(campaign.name for campaign in campaigns if campaign.dialling),
            numbers=tuple((names[flow_id], count) for flow_id, count in numbers.most_common(_MOST)),
            as_of=at,
        )
