"""Ask once more about an activeflow that has moved to another kind of situation than its card showed."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from bot.activeflows.model import Activeflow
from bot.activeflows.operators import Policy
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import as_seen, look_at
from bot.activeflows.records import What
from bot.activeflows.stopping.admission import record_of
from bot.activeflows.stopping.gate import Errand
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import Intent, renewed
from bot.activeflows.stopping.timeouts import Patience


class Renewal:
    """Opens the intent that takes the place of one that shows what is no longer so."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        self._voipbin, self._ledger, self._policy = voipbin, ledger, policy
        self._patience, self._now = patience, now

    async def of(self, errand: Errand, activeflow: Activeflow) -> Intent | None:
        """The new one, as it is by now; ``None`` when the card is not this press's any more. May raise ``LedgerUnavailable``."""
        intent, press = errand.intent, errand.press
        sight = await look_at(self._voipbin, activeflow, now=self._now(), within=self._patience.side_look)
        at = self._now()
        moved = record_of(intent, press, What.MOVED, at, was=intent.seen.kind, now=sight.situation.kind)
        # Derived, so that a run cut off after writing finds its own intent again; as unguessable as the one before.
        id_ = sha256(f"{intent.id}/{press.id}".encode()).hexdigest()[:32]
        deadline = at + self._policy().rules.confirm_within
        anew = renewed(intent, id_=id_, seen_now=as_seen(sight), at=at, deadline=deadline)
        replaced = await self._ledger.open_intent(anew, moved, instead_of=intent.id, by_press=press.id)
        return anew if replaced else None
