"""Call VoIPBIN's API: the ``VoIPBIN`` protocol of ``bot.activeflows.ports``, over HTTP.

Promises: ``stop`` sends its POST once, straight after its gate's yes, and every ending that does not prove that nothing
was done is ``StopUnconfirmed``. Ids go into addresses as UUIDs only, and an empty one goes nowhere: an empty id
is redirected to the list. Errors hold no URL, no credential and none of VoIPBIN's own words.

Decisions: a read of one activeflow is always for the person who pressed, so it is as urgent as a stop. A 403 on another
activeflow than ours reads as ``NotOurs`` once ``introduce`` has shown that the credential is good for the account.
"""

from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from bot.activeflows.bulk.ports import Campaign, CampaignCall
from bot.activeflows.callers import CallsLooked
from bot.activeflows.errors import AccountNotSetUp, NotFound, NotOurs, StopUnconfirmed, VoIPBINUnreachable
from bot.activeflows.model import Activeflow, Call, Customer, Flow, Picture, SpokenText
from bot.activeflows.numbers import Number
from bot.activeflows.ports import Check, Gate
from bot.activeflows.situation.history import Timeline, TimelineEvent
from bot.voipbin import lists
from bot.voipbin.http.answer import FailureKind, Unsuccessful
from bot.voipbin.http.budget import Load, Urgency
from bot.voipbin.http.credential import SingleFlight
from bot.voipbin.http.exchange import LIST_READ, STOP_READ, Exchange, FurtherQuestion, Question
from bot.voipbin.lists import calls_with
from bot.voipbin.live.live_index import EARLY, IndexPace, LiveIndex
from bot.voipbin.live.scan import AHEAD, WalkBounds, walk
from bot.voipbin.live.stream import EventStream
from bot.voipbin.name_cache import NameCache
from bot.voipbin.wire import answers
from bot.voipbin.wire.answers import page_token
from bot.voipbin.wire.pages import RunningPage, cursor, running_page, spoken, timeline_page

# ---------------------------------------------------------------- past
# Read the events of one activeflow from VoIPBIN's timeline: one page as a rule, and never more than two thousand.
#
# An activeflow has at most about a hundred events, because its steps are counted, and a page holds a thousand: what is
# longer was repeated, and its newest part tells enough. A page may hold fewer than that (``pages.is_last``), so it is
# read on for as long as it says where. https://api.voipbin.net/docs/activeflow_overview.html

PAGE: Final = 1000
"""The most VoIPBIN gives; what is above reads as 100."""
_ENOUGH: Final = 2 * PAGE
_MOST_PAGES: Final = 20


async def timeline(exchange: Exchange, activeflow_id: UUID) -> Timeline:
    """Return what the timeline tells, read now. Raises ``Unsuccessful``."""
    moments: list[TimelineEvent] = []
    query: dict[str, str | int] = {"page_size": PAGE}
    before = datetime.max.replace(tzinfo=UTC)
    for _ in range(_MOST_PAGES):
        question = Question("GET", f"/timelines/activeflows/{activeflow_id}/events", Urgency.SCREEN, query=query)
        page = await exchange.read(question, lambda body: timeline_page(body, activeflow_id))
        moments += page.moments
        if page.next_from is None or page.next_from >= before or len(moments) >= _ENOUGH:
            break
        before = page.next_from
        query = {"page_size": PAGE, "page_token": cursor(before)}
    return Timeline(tuple(moments))


# ---------------------------------------------------------------- client

T = TypeVar("T")

_NO_MORE: Final = frozenset({FailureKind.ABSENT, FailureKind.GONE})


@dataclass
class _CustomerState:
    """What one client has learnt, for all that were made of it."""

    customer: Customer | None = None
    disowned: str = ""
    look: tuple[float, Picture] | None = None
    followed_by_a_look: tuple[float, Picture] | None = None
    """The last one during whose time the next was begun."""
    live_index: LiveIndex | None = None


class VoIPBINClient:
    """One customer's VoIPBIN. Made by ``connected``; ``introduce`` comes before anything else."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        bounds: WalkBounds,
        stream: EventStream | None = None,
        key_prefix: str = "",
    ) -> None:
        """``key_prefix``: how VoIPBIN lists the access key that is shown; empty when the bot logs in."""
        self.key_prefix = key_prefix
        self._exchange = exchange
        self._stream = stream
        self._now = now
        self._clock = clock
        self._bounds = bounds
        self._known = _CustomerState()
        self._urgency: Urgency | None = None
        self._flows = NameCache(self._look_up_flow, clock=clock)
        self._queues = NameCache(self._look_up_queue, clock=clock)
        self._looks: SingleFlight[str, tuple[float, Picture]] = SingleFlight()

    def with_urgency(self, urgency: Urgency) -> "VoIPBINClient":
        """Give the same client, whose every question waits behind the more urgent ones.

        ``BULK`` is for the many stops of a bulk, ``SCREEN`` for what somebody only looks at, ``SCAN`` for what is read
        although nobody asked just now. Without it a question is as urgent as whoever asks it usually is.
        """
        other = copy(self)
        other._urgency = urgency  # noqa: SLF001 — of one's own kind
        return other

    @property
    def customer(self) -> Customer:
        if self._known.disowned:
            raise AccountNotSetUp(self._known.disowned)
        if self._known.customer is None:
            raise VoIPBINUnreachable("VoIPBIN has not been reached since the bot started")
        return self._known.customer

    async def introduce(self) -> Customer:
        """Learn whose account the credential opens: the one check that any good credential passes.

        GET /customer (https://api.voipbin.net/docs/customer_overview.html). Raises a ``Failure`` after a few tries.
        """
        self._known.customer = await self._read("/customer", answers.customer, Urgency.PRESS)
        return self._known.customer

    def disown(self, why: str) -> None:
        """Disown the account: nothing is known to be this account's, so nothing is shown of it, and nothing sent."""
        self._known.disowned = why

    @property
    def rejected(self) -> bool:
        """Does VoIPBIN refuse the credential for good?"""
        return self._exchange.rejected

    def load(self) -> Load:
        """Return how much of the budget is used."""
        return self._exchange.load()

    async def once(self, path: str, understand: Callable[[bytes], T]) -> T:
        """Read without a second try: for whoever wants to know how it is now. Raises a ``Failure``."""
        return await _or_failure(self._exchange.once(Question("GET", path, Urgency.SCREEN), understand))

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        """Return the activeflows, newest first; ``max_age`` in seconds, counted from when the look began.

        While people ask, the next look begins before the last one is too old, once, so that they need not wait for it.
        """
        look = self._known.look
        if look is not None and (age := self._clock() - look[0]) <= max_age:
            if age > EARLY * max_age and self._known.followed_by_a_look is not look:
                self._known.followed_by_a_look = look
                self._looks.begin("picture", self._look_now)
            return look[1]
        return (await self._looks.share("picture", self._look_now))[1]

    def live_index(self, pace: IndexPace | None = None) -> LiveIndex:
        """Return what runs, kept in memory: ``async with client.live_index().at_work() as live_index: …``."""
        if self._stream is None:
            raise RuntimeError("this client was made without an event stream")
        self._known.live_index = LiveIndex(
            self.running_page,
            self._stream.subscribed,
            lambda: self.customer.id,
            spare=self._exchange.spare,
            now=self._now,
            pace=pace,
        )
        return self._known.live_index

    async def running_page(self, before: datetime, size: int) -> RunningPage:
        """Return a page of the list, with whole rows of what runs only. Raises ``Unsuccessful``."""
        query: dict[str, str | int] = {"page_size": size, "page_token": page_token(before)}
        question = Question("GET", "/activeflows", Urgency.SCAN, LIST_READ, query)
        return await self._exchange.read(question, running_page)

    async def newest(self) -> Sequence[Activeflow]:
        """Return the newest hundred, read now, with one request."""
        return await self.begun_before(self._now() + AHEAD)

    async def begun_before(self, moment: datetime) -> Sequence[Activeflow]:
        """Return the hundred that were created last before this moment, newest first, with one request."""
        return (await _or_failure(self._read_page(moment, 100, self._urgency or Urgency.SCREEN))).rows

    async def activeflow(self, activeflow_id: UUID) -> Activeflow:
        """Return one activeflow, read now. Raises ``NotFound``, ``NotOurs``."""
        urgency = self._urgency or Urgency.PRESS
        return await self._about(activeflow_id, partial(self._the_one, activeflow_id), urgency)

    async def spoken(self, activeflow_id: UUID) -> tuple[SpokenText, ...]:
        """Return the texts its newest steps spoke, read now: for whoever may be shown them. Raises as ``activeflow``
        does.
        """
        return await self._about(activeflow_id, lambda body: spoken(activeflow_id, body), Urgency.SCREEN)

    async def timeline(self, activeflow_id: UUID) -> Timeline:
        """Return where it stood at which instant, as far as VoIPBIN keeps its events (a year). Raises a ``Failure``."""
        return await _or_failure(timeline(self._exchange, activeflow_id))

    async def stop(self, activeflow_id: UUID, *, gate: Gate[Activeflow]) -> Activeflow:
        """Wait for a turn, ask the gate, send one stop, once, and give VoIPBIN's answer.

        POST /activeflows/{id}/stop (https://api.voipbin.net/docs/activeflow_overview.html). Raises what the gate
        raises, ``StopUnconfirmed`` when it may have been done, ``NotFound``, or a ``Failure`` when it certainly was
        not.
        """
        if not activeflow_id.int:
            raise NotFound(str(activeflow_id))
        understand, urgency = partial(self._the_one, activeflow_id), self._urgency or Urgency.PRESS
        question = Question("POST", f"/activeflows/{activeflow_id}/stop", urgency, STOP_READ)

        async def at_the_wire(within: FurtherQuestion) -> Check:
            return await gate(lambda: self._about(activeflow_id, understand, urgency, within))

        sent = self._exchange.act(question, understand, at_the_wire)
        return await _or_unconfirmed(sent, activeflow_id, frozenset({FailureKind.ABSENT}))

    async def hang_up(self, call_id: UUID, *, gate: Gate[Call | None]) -> Call:
        """Send one hang-up and give VoIPBIN's answer; the call ends a little later. Raises as ``stop`` does.

        POST /calls/{id}/hangup (https://api.voipbin.net/docs/call_overview.html).
        """
        urgency = self._urgency or Urgency.PRESS
        question = Question("POST", f"/calls/{call_id}/hangup", urgency, STOP_READ)

        async def at_the_wire(within: FurtherQuestion) -> Check:
            return await gate(lambda: self._read_if_any(f"/calls/{call_id}", answers.call, urgency, within))

        return await _or_unconfirmed(self._exchange.act(question, answers.call, at_the_wire), call_id, _NO_MORE)

    async def flow(self, flow_id: UUID) -> Flow | None:
        """Return a flow's definition, not older than some minutes; ``None`` for one that was deleted, or was
        temporary.
        """
        return await self._flows.get(flow_id) if flow_id.int else None

    def flow_remembered(self, flow_id: UUID) -> tuple[Flow | None] | None:
        """Return what ``flow`` answers without asking VoIPBIN, as the only element; ``None``: it would have to ask."""
        return self._flows.kept(flow_id) if flow_id.int else (None,)

    async def call(self, call_id: UUID) -> Call | None:
        """Return a call, read now; ``None`` when it does not exist or was deleted."""
        urgency = self._urgency or Urgency.SCREEN
        return await self._read_if_any(f"/calls/{call_id}", answers.call, urgency) if call_id.int else None

    async def calls_with(self, numbers: Sequence[Number]) -> CallsLooked:
        """Return the calls of the last hour that have one of these numbers, read now. Raises a ``Failure``."""
        return await _or_failure(calls_with(self._read_calls, numbers, now=self._now))

    async def queue_name(self, queue_id: UUID) -> str | None:
        """Return a queue's name, not older than some minutes."""
        return await self._queues.get(queue_id) if queue_id.int else None

    def queue_name_remembered(self, queue_id: UUID) -> tuple[str | None] | None:
        """Return a queue's name as ``flow_remembered`` does a flow."""
        return self._queues.kept(queue_id) if queue_id.int else (None,)

    async def campaign(self, campaign_id: UUID) -> Campaign | None:
        """Return a campaign, read now; ``None`` when there is none."""
        return await self._read_if_any(f"/campaigns/{campaign_id}", lists.campaign) if campaign_id.int else None

    async def campaign_calls(self) -> Sequence[CampaignCall]:
        """Return the newest hundred calls of campaigns. Raises a ``Failure``."""
        return await self._newest_of("/campaigncalls", lists.campaign_calls)

    async def bound_flows(self) -> Sequence[UUID]:
        """Return the flows that the newest hundred numbers lead to, one for each number. Raises a ``Failure``."""
        return await self._newest_of("/numbers", lists.bound_flows)

    async def _newest_of(self, path: str, understand: Callable[[bytes], T]) -> T:
        query: dict[str, str | int] = {"page_size": 100, "page_token": page_token(self._now() + AHEAD)}
        return await _or_failure(
            self._exchange.read(Question("GET", path, Urgency.SCREEN, LIST_READ, query), understand)
        )

    async def close(self) -> None:
        """End the looks under way. The HTTP client is closed by ``connected``."""
        await self._looks.land()
        await self._flows.close()
        await self._queues.close()

    async def _look_up_flow(self, flow_id: UUID) -> Flow | None:
        return await self._read_if_any(f"/flows/{flow_id}", answers.flow)

    async def _look_up_queue(self, queue_id: UUID) -> str | None:
        return await self._read_if_any(f"/queues/{queue_id}", answers.name)

    async def _look_now(self) -> tuple[float, Picture]:
        began = self._clock()
        look = (began, await _or_failure(walk(self._read_page, now=self._now, bounds=self._bounds)))
        self._known.look = look
        return look

    async def _read_page(
        self, before: datetime, size: int, urgency: Urgency = Urgency.SCAN
    ) -> answers.Page[Activeflow]:
        # Only these two are read by VoIPBIN: an unknown one, such as a status, is ignored and looks as if it worked.
        query: dict[str, str | int] = {"page_size": size, "page_token": page_token(before)}
        page = await self._exchange.read(Question("GET", "/activeflows", urgency, LIST_READ, query), answers.page)
        if self._known.live_index is not None and self._known.customer is not None:
            self._known.live_index.learned.learn_all(page.rows, self._known.customer.id)
        return page

    async def _read_calls(self, before: datetime, size: int, urgency: Urgency) -> answers.Page[Call]:
        query: dict[str, str | int] = {"page_size": size, "page_token": page_token(before)}
        return await self._exchange.read(Question("GET", "/calls", urgency, LIST_READ, query), answers.calls)

    async def _about(
        self,
        activeflow_id: UUID,
        understand: Callable[[bytes], T],
        urgency: Urgency,
        read: FurtherQuestion | None = None,
    ) -> T:
        if not activeflow_id.int:
            raise NotFound(str(activeflow_id))
        question = Question("GET", f"/activeflows/{activeflow_id}", urgency)
        try:
            return await (read or self._exchange.read)(question, understand)
        except Unsuccessful as unsuccessful:
            trouble = unsuccessful.trouble
        if trouble.kind is FailureKind.ABSENT:
            if self._known.live_index is not None:
                self._known.live_index.learned.learn_gone(activeflow_id)
            raise NotFound(str(activeflow_id))
        if trouble.reason == "PERMISSION_DENIED" and self._known.customer is not None:
            raise NotOurs(activeflow_id)
        raise trouble.failure()

    async def _read_if_any(
        self,
        path: str,
        understand: Callable[[bytes], T],
        urgency: Urgency = Urgency.SCREEN,
        read: FurtherQuestion | None = None,
    ) -> T | None:
        try:
            return await (read or self._exchange.read)(Question("GET", path, urgency), understand)
        except Unsuccessful as unsuccessful:
            trouble = unsuccessful.trouble
        if trouble.kind in _NO_MORE:
            return None
        raise trouble.failure()

    async def _read(self, path: str, understand: Callable[[bytes], T], urgency: Urgency) -> T:
        return await _or_failure(self._exchange.read(Question("GET", path, urgency), understand))

    def _the_one(self, asked: UUID, body: bytes) -> Activeflow:
        """Return what this answer says of the activeflow, which the lists then say as well."""
        answered = answers.activeflow(body)
        if answered.id != asked:
            raise answers.Unreadable("the answer is about another activeflow")
        if (
            self._known.live_index is not None
            and self._known.customer is not None
            and answered.customer_id == self._known.customer.id
        ):
            self._known.live_index.learned.learn(answered)
        return answered


async def _or_failure(asked: Awaitable[T]) -> T:
    """Give the answer, or raise what VoIPBIN's refusal means. Raised outside, so that it drags no address along."""
    try:
        return await asked
    except Unsuccessful as unsuccessful:
        trouble = unsuccessful.trouble
    raise trouble.failure()


async def _or_unconfirmed(sent: Awaitable[T], of: UUID, gone: frozenset[FailureKind]) -> T:
    """Return the same of what was sent: ``StopUnconfirmed`` unless it is proven that nothing was done."""
    try:
        return await sent
    except Unsuccessful as unsuccessful:
        trouble = unsuccessful.trouble
    if trouble.kind in gone:
        raise NotFound(str(of))
    if trouble.before_any_work:
        raise trouble.failure()
    raise StopUnconfirmed(trouble.what, trouble.request_id)
