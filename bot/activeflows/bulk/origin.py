"""Find what started the members of a bulk stop, and whether that goes on: campaigns that dial, numbers bound to their flows.

Only what VoIPBIN says goes on is told: what could not be read, or is not among the newest hundred of its lists, is not.
It costs two requests, and one more for each campaign, five at most.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Final, TypeVar

from bot.activeflows.bulk.bulk_stop import Bulk, Origin
from bot.activeflows.bulk.ports import Campaign, Sources
from bot.activeflows.errors import BotError

T = TypeVar("T")
_MOST: Final = 3
"""Campaigns that are asked about: those of the most members."""


class Tracing:
    """Reads; nothing is changed here."""

    def __init__(self, sources: Sources, *, within: float = 10.0) -> None:
        """``within``: seconds for each of two rounds of questions."""
        self._sources, self._within = sources, within

    async def of(self, bulk: Bulk) -> Origin:
        """What goes on. Raises nothing that VoIPBIN does."""
        dialled, bound = await asyncio.gather(
            self._in_time(self._sources.campaign_calls()), self._in_time(self._sources.bound_flows())
        )
        members = {member.activeflow_id for member in bulk.members}
        counts = Counter(call.campaign_id for call in dialled or () if call.activeflow_id in members)
        asked = (self._in_time(self._sources.campaign(id_)) for id_, _ in counts.most_common(_MOST))
        campaigns: list[Campaign | None] = await asyncio.gather(*asked)
        names = {member.flow_id: member.flow_name for member in bulk.members if member.is_call and member.flow_id}
        numbers = Counter(flow_id for flow_id in bound or () if flow_id in names)
        return Origin(
            campaigns=tuple(campaign.name for campaign in campaigns if campaign is not None and campaign.dialling),
            numbers=tuple((names[flow_id], count) for flow_id, count in numbers.most_common(_MOST)),
        )

    async def _in_time(self, asked: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(self._within):
                return await asked
        except (BotError, TimeoutError):
            return None
