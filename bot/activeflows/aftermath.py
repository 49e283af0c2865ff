"""What happens after an activeflow has ended: VoIPBIN hangs up its call, and starts the flow that was to come next.

Both happen beside the stop and may fail unnoticed upstream, so they are looked at and told apart from "ended".
"""

import asyncio
from dataclasses import replace

from bot.activeflows.errors import Failure
from bot.activeflows.patience import Patience
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.stops import CallAfter, ChildAfter, Ended, Intent


class Aftermath:
    """Looks until both are known, or for as long as ``Patience.after`` says."""

    def __init__(self, voipbin: VoIPBIN, patience: Patience) -> None:
        self._voipbin, self._patience = voipbin, patience

    async def of(self, intent: Intent, ended: Ended) -> Ended:
        """The same end, with what became of the call and of the on-complete flow."""
        call = CallAfter("unknown") if intent.seen.call_id else None
        child = ChildAfter() if intent.seen.on_complete_flow_id else None
        for pause in self._patience.after:
            await asyncio.sleep(pause)
            if call is not None and call.state != "hung_up":
                call = await self._call(intent) or call
            if child is not None and child.activeflow_id is None:
                child = await self._child(intent) or child
            if (call is None or call.state == "hung_up") and (child is None or child.activeflow_id):
                break
        return replace(ended, call=call, child=child)

    async def _call(self, intent: Intent) -> CallAfter | None:
        if intent.seen.call_id is None:
            return None
        try:
            call = await self._voipbin.call(intent.seen.call_id)
        except Failure:
            return None
        if call is None:
            return None
        if call.over:
            return CallAfter("hung_up", call.hangup_at)
        return CallAfter("hanging_up" if call.hanging_up else "up")

    async def _child(self, intent: Intent) -> ChildAfter | None:
        try:
            newest = await self._voipbin.newest()
        except Failure:
            return None
        # A call's other end-hooks have the same parent; the on-complete child is the one of that flow.
        for activeflow in newest:
            if activeflow.parent_id == intent.activeflow_id and activeflow.flow_id == intent.seen.on_complete_flow_id:
                return ChildAfter(activeflow.id)
        return None
