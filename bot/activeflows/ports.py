"""What the middle needs from outside, stated by the side that needs it; the doors and the cellar match by shape."""

from typing import Protocol
from uuid import UUID

from bot.activeflows.model import Activeflow, Call, Customer, Flow, Picture


class VoIPBIN(Protocol):
    """The activeflow API as an operator sees it. Every method may raise any ``Failure`` of ``errors``."""

    @property
    def customer(self) -> Customer:
        """Whose account this is, as read when the bot started."""
        ...

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        """The activeflows, newest first: the last hour completely, further back up to a bound.

        A picture no older than ``max_age`` seconds may be reused; looks under way are shared.
        """
        ...

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        """One activeflow, read now. Raises ``NotFound``."""
        ...

    async def stop(self, activeflow_id: UUID) -> Activeflow:
        """Send one stop, once, and give VoIPBIN's answer.

        Raises ``StopUnconfirmed`` when it may have been done, ``NotFound``, or a ``Failure`` when it certainly was not.
        """
        ...

    async def flow(self, flow_id: UUID) -> Flow | None:
        """A flow's definition, from a cache of a few minutes; ``None`` when there is none (any more)."""
        ...

    async def call(self, call_id: UUID) -> Call | None:
        """A call, read now; ``None`` when there is none (any more)."""
        ...

    async def queue_name(self, queue_id: UUID) -> str | None:
        """A queue's name, from a cache of a few minutes; ``None`` when there is none."""
        ...
