"""Call the same VoIPBIN less urgently: what one person presses, and what fills a screen, goes before it.

It is for the many stops of a bulk, with ``Urgency.SCREEN`` for what somebody only looks at and, with ``Urgency.SCAN``, for
what is read although nobody asked just now.
"""

from collections.abc import Sequence
from uuid import UUID

from bot.activeflows.model import Activeflow, Call, Customer, Flow, Picture
from bot.activeflows.ports import Gate
from bot.voipbin.client import VoIPBINClient
from bot.voipbin.http.budget import Urgency


class InBulk:
    """The middle's port on a client that is shared: its caches, its budget, its connection."""

    def __init__(self, client: VoIPBINClient, urgency: Urgency = Urgency.BULK) -> None:
        self._client, self._urgency = client, urgency

    @property
    def customer(self) -> Customer:
        return self._client.customer

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        return await self._client.activeflow(activeflow_id, urgency=self._urgency)

    async def stop(self, activeflow_id: UUID, *, gate: Gate[Activeflow]) -> Activeflow:
        return await self._client.stop(activeflow_id, gate=gate, urgency=self._urgency)

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        return await self._client.picture(max_age=max_age)

    async def newest(self) -> Sequence[Activeflow]:
        return await self._client.newest()

    async def hang_up(self, call_id: UUID, *, gate: Gate[Call | None]) -> Call:
        return await self._client.hang_up(call_id, gate=gate)

    async def flow(self, flow_id: UUID) -> Flow | None:
        return await self._client.flow(flow_id)

    async def call(self, call_id: UUID) -> Call | None:
        return await self._client.call(call_id)

    async def queue_name(self, queue_id: UUID) -> str | None:
        return await self._client.queue_name(queue_id)
