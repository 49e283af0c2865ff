"""Disclose the caller, the called party and the texts spoken, in full, to one person who may, on the record.

Everywhere else they are masked or dropped. Decisions:

- The permission is decided before anything is read, and again for the activeflow's own flow.
- The record is written after reading and before showing, so that it says what is shown. If it cannot be written, nothing
  is. It may say more than was seen (Slack may lose the message), never less. One press is one record.
- A refusal is recorded, too; a ledger that cannot take that one changes nothing about the refusal.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.activeflows.errors import LedgerUnavailable, NotPermitted
from bot.activeflows.model import Activeflow, Call, Spoken
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.ports import Records, Texts, VoIPBIN
from bot.activeflows.queries.resolution import find
from bot.activeflows.records import Record, What, in_thread
from bot.activeflows.refusals import RefusalBound


@dataclass(frozen=True, slots=True)
class Revealed:
    """What may now be shown to the person who pressed, and to nobody else."""

    activeflow: Activeflow
    call: Call | None
    """``None``: it runs for no call, or VoIPBIN does not know the call any more."""
    spoken: tuple[Spoken, ...]
    """Oldest first."""
    receipt: str
    as_of: datetime


class Disclosure:
    """*Reveal*."""

    def __init__(
        self, voipbin: VoIPBIN, texts: Texts, records: Records, refusals: RefusalBound, *, now: Callable[[], datetime]
    ) -> None:
        self._voipbin, self._texts, self._records, self._refusals = voipbin, texts, records, refusals
        self._now = now

    async def reveal(self, operator: Operator, activeflow_id: UUID, *, press: str) -> Revealed:
        """What is personal about an activeflow, once that is on the record. ``press``: identifies the press.

        Raises ``NotPermitted``, ``LedgerUnavailable`` (then nothing may be shown), and what ``resolution.find`` raises.
        """
        try:
            operator.require(Permission.REVEAL)
            activeflow = await find(self._voipbin, operator, activeflow_id)
            decision = operator.require(Permission.REVEAL, activeflow.flow_id)
        except NotPermitted as refused:
            with suppress(LedgerUnavailable):
                await self._record_refusal(operator, activeflow_id, refused.decision.because)
            raise
        as_of = self._now()
        call = await self._call(activeflow)
        spoken = await self._texts.spoken(activeflow.id)
        detail = {"shown": _words(call, spoken), "because": decision.because, "grant": decision.grant}
        record = self._record(f"reveal:{press}:{activeflow.id}", What.REVEALED, operator, activeflow.id, detail)
        written = await self._records.record(record)
        return Revealed(activeflow, call, spoken, written.receipt, as_of)

    async def _call(self, activeflow: Activeflow) -> Call | None:
        reference = activeflow.reference
        return await self._voipbin.call(reference.id) if reference.is_call and reference.id else None

    async def _record_refusal(self, operator: Operator, activeflow_id: UUID, because: str) -> None:
        if not self._refusals.has_room(operator.person.id):
            return
        detail = {"because": because, "wanted": str(Permission.REVEAL)}
        key = f"refused:{secrets.token_hex(16)}"
        await self._records.record(self._record(key, What.REFUSED, operator, activeflow_id, detail))

    def _record(
        self, key: str, what: What, operator: Operator, activeflow_id: UUID, detail: Mapping[str, str | int | None]
    ) -> Record:
        told = in_thread(detail, operator.thread)
        return Record(key, self._now(), what, operator.person.id, operator.channel, activeflow_id, detail=told)


def _words(call: Call | None, spoken: tuple[Spoken, ...]) -> str:
    """What is shown, without a word of it."""
    texts = f"{len(spoken)} {'text' if len(spoken) == 1 else 'texts'}" if spoken else ""
    return ", ".join(word for word in ("caller, called party" if call else "", texts) if word) or "nothing was there"
