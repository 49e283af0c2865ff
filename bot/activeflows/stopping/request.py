"""Ask for a stop: what ``/flows stop`` and *Stop…* do. Nothing is stopped here; an intent is recorded.

The card that shows it is public, so that everybody in the channel sees what is about to happen and who asked.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from bot.activeflows.errors import NothingToStop, NotOurs
from bot.activeflows.operators import Operator, Permission, Policy
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import as_seen, look_at
from bot.activeflows.queries.resolution import Target, find
from bot.activeflows.records import Record, RecordKind, RefusalBound, in_thread, record_on
from bot.activeflows.stopping.ports import Ledger
from bot.activeflows.stopping.stop import Intent, IntentState, Patience

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class ApprovalRequest(Generic[C]):
    """A stop, or many, put to those who may. ``opened``: its card is to be posted; else that was asked for already."""

    card: C
    who_may: tuple[str, ...]
    opened: bool


async def by_policy_in_force(
    operator: Operator, policy: Callable[[], Policy], prepare: Callable[[Operator], Awaitable[C]]
) -> tuple[Operator, C]:
    """Prepare what somebody asks for: anew when the policy has changed while it was looked up."""
    while True:
        operator = replace(operator, policy=policy())
        prepared = await prepare(operator)
        if operator.policy == policy():
            return operator, prepared


class StopRequests:
    """Opens and puts away intents."""

    def __init__(
        self,
        voipbin: VoIPBIN,
        ledger: Ledger,
        refusals: RefusalBound,
        *,
        policy: Callable[[], Policy],
        patience: Patience,
        now: Callable[[], datetime],
    ) -> None:
        """``policy``: the one in force."""
        self._voipbin, self._ledger, self._refusals = voipbin, ledger, refusals
        self._policy, self._patience, self._now = policy, patience, now

    async def ask(self, operator: Operator, target: Target, *, reason: str = "", now: bool = False) -> Intent | None:
        """Return the intent for a stop card, written down; ``None`` when this delivery made one before.

        Raises ``NotPermitted`` before anything is looked up, ``NotFound``, ``Ambiguous``, ``NotOurs``,
        ``NothingToStop``, or a ``Failure``.
        """
        prepare = partial(self._intent, target=target, permission=Permission.STOP, reason=reason, now=now)
        operator, intent = await by_policy_in_force(operator, self._policy, prepare)
        because, seen = operator.require(Permission.STOP, intent.flow_id).because, intent.seen.kind
        asked = record_on(
            intent, RecordKind.ASKED, intent.asked_at, operator.actor, because=because, seen=seen, now=now
        )
        return intent if await self._ledger.open_intent(intent, asked) else None

    async def draft(self, operator: Operator, target: Target, *, reason: str = "") -> Intent:
        """Draft an intent for somebody who may see it but not stop it: the same, to be put to those who may. Not posted
        yet.

        Raises ``NotPermitted`` when they may not even see it, and what ``ask`` raises.
        """
        prepare = partial(self._intent, target=target, permission=Permission.VIEW, reason=reason, now=False)
        _, intent = await by_policy_in_force(operator, self._policy, prepare)
        intent = replace(intent, on_behalf=True)
        await self._ledger.draft_intent(intent)
        return intent

    async def request_approval(self, operator: Operator, intent_id: str) -> ApprovalRequest[Intent] | None:
        """Put a stop to those who may: open one's own draft, or point at a card that is open already.

        ``None`` when there is nothing to be pressed (any more). Raises ``NotPermitted`` for somebody who may not see
        it.
        """
        found = await self._ledger.intent(intent_id)
        if found is None:
            return None
        intent, state = found
        operator = replace(operator, policy=self._policy())  # the ledger may have taken a while
        operator.require(Permission.VIEW, intent.flow_id)
        rules, at = operator.policy.rules, self._now()
        if state is IntentState.DRAFT and operator.person.known_as(intent.asked_by):
            channel = rules.ask_in or intent.channel
            thread = intent.thread if channel == intent.channel else ""
            intent = replace(intent, channel=channel, thread=thread, asked_at=at, deadline=at + rules.confirm_within)
            because, seen = "asks those who may", intent.seen.kind
            asked = record_on(intent, RecordKind.ASKED, at, operator.actor, because=because, seen=seen)
            if not await self._ledger.open_draft(intent, asked):
                return None
        elif state is not IntentState.OPEN or intent.late(at):
            return None
        there = replace(operator, channel=intent.channel).decide(Permission.STOP, intent.flow_id)
        return ApprovalRequest(intent, there.who_may, opened=state is IntentState.DRAFT)

    async def _intent(
        self, operator: Operator, *, target: Target, permission: Permission, reason: str, now: bool
    ) -> Intent:
        operator.require(permission)
        activeflow = await find(self._voipbin, operator, target)
        if activeflow.customer_id != self._voipbin.customer.id:
            raise NotOurs(activeflow.id)
        if activeflow.ended:
            raise NothingToStop(activeflow)
        operator.require(permission, activeflow.flow_id)
        sight = await look_at(self._voipbin, activeflow, now=self._now(), within=self._patience.side_look)
        at = self._now()
        return Intent(
            id=operator.new_card(),
            activeflow_id=activeflow.id,
            flow_id=activeflow.flow_id,
            seen=as_seen(sight),
            asked_by=operator.person.id,
            channel=operator.channel,
            reason=reason,
            asked_at=at,
            deadline=at + operator.policy.rules.confirm_within,
            without_second_question=now,
            thread=operator.thread,
        )

    async def refused(self, operator: Operator, because: str, *, activeflow_id: UUID | None = None) -> bool:
        """Write down that somebody asked for a stop and may not, as long as there is room for one more of theirs.

        Whether it may be put to others: that is offered to one person so often.
        """
        offered = self._refusals.has_room_for_an_offer(operator.person.id)
        if not self._refusals.has_room(operator.person.id):
            return offered
        at = self._now()
        key = f"refused:{secrets.token_hex(16)}"
        detail = in_thread({"because": because}, operator.thread)
        await self._ledger.record(
            Record(key, at, RecordKind.REFUSED, operator.person.id, operator.channel, activeflow_id, detail=detail)
        )
        return offered

    async def put_away(self, operator: Operator, intent_id: str) -> tuple[Intent, bool] | None:
        """Cancel a card: whoever asked for it, or may stop it, may also put it away.

        The intent and whether it was cancelled now (False: it is being stopped, or is over); ``None``: no such card.
        Raises ``NotPermitted``.
        """
        found = await self._ledger.intent(intent_id)
        if found is None:
            return None
        intent, _ = found
        if not operator.person.known_as(intent.asked_by):
            replace(operator, policy=self._policy()).require(Permission.STOP, intent.flow_id)
        cancelled = record_on(intent, RecordKind.CANCELLED, self._now(), operator.actor)
        return intent, await self._ledger.put_away(intent.id, cancelled)
