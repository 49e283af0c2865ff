"""Run the work after the ack: in tasks that are known, bounded, and waited for at the end.

A listener acks and starts a job; a job is one use case with its answer. Whatever it raises becomes words here and
nowhere else, so that no press stays without a visible answer. asyncio holds tasks by weak references only, and Bolt
forgets its own: here every task is kept until it is done, and ``drain`` waits for them at shutdown.

Decisions: what leads to a stop never waits for what is only read, and what needs no question to VoIPBIN waits for
nothing that does. Nobody waits for somebody else's many: turns go round among people, so whoever asks for a hundred
waits behind themselves. A job is taken if its turn comes while there is time to answer within three seconds, whatever
the number; else it is refused, politely and in time. Beyond ``MOST`` there is no room for that either: then the answer
to the delivery itself says so.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

import structlog

from bot.activeflows.errors import BotError
from bot.slack.blocks.error_words import BUSY, CLOSING, explained, incident, root_of, still_working
from bot.slack.interaction import Interaction
from bot.slack.messaging.messenger import Message, Messenger, VisibleReply, hearing

log = structlog.get_logger(__name__)
R = TypeVar("R")

AT_ONCE: Final = 16
EACH: Final = 6
"""Jobs of one person at once."""
LIGHT: Final = 4
"""So many times more of those that wait for nothing but Slack's word that it has the answer."""
TURN_WITHIN: Final = 2.4
"""Seconds until a job that has no turn yet is refused."""
NOTICE_AFTER: Final = 2.0
"""Seconds without a visible word until "Still working on it" is said."""
NOTICE_SPARED: Final = 0.4
"""Seconds that a job has to answer before that is said, however long it waited for its turn."""
_REFUSAL_WITHIN: Final = 60.0
MOST: Final = 5000
"""Jobs that are held at all: some hundred MB at most."""


class TooMany(Exception):
    """No further job can be held: whoever delivered it has to be told in the answer to the delivery."""


class Lane(StrEnum):
    """Among what a job waits for its turn. ``LIGHT``: as a rule its answer needs no question to VoIPBIN."""

    STOP = "stop"
    READ = "read"
    LIGHT = "light"


class JobSlots:
    """``at_once`` turns in all, ``each`` of them at most for one person."""

    def __init__(self, at_once: int, each: int) -> None:
        self._free, self._each = at_once, each
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def taken(self) -> int:
        """Turns that are held now."""
        return self._taken.total()

    @asynccontextmanager
    async def turn(self, who: str, *, within: float) -> AsyncIterator[None]:
        """Wait for a turn and hold it while the block lasts. Raises ``TimeoutError`` when none came in so many
        seconds.
        """
        if self._waiting or not self._free or self._taken[who] >= self._each:
            await self._wait(who, within)
        else:
            self._take(who)
        try:
            yield
        finally:
            self._back(who)

    async def _wait(self, who: str, within: float) -> None:
        go = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(go)
        self._give()
        try:
            async with asyncio.timeout(within):
                await go
        except BaseException:
            if go.done() and not go.cancelled():
                self._back(who)
            else:
                self._forget(who, go)
            raise

    def _take(self, who: str) -> None:
        self._free -= 1
        self._taken[who] += 1

    def _give(self) -> None:
        for who in list(self._waiting):
            if self._free == 0:
                return
            if self._taken[who] >= self._each:
                continue
            queue = self._waiting[who]
            while queue and queue[0].cancelled():  # gave up, and has not noticed yet
                queue.popleft()
            if queue:
                queue.popleft().set_result(None)
                self._take(who)
            if queue:
                self._waiting.move_to_end(who)
            else:
                del self._waiting[who]

    def _back(self, who: str) -> None:
        self._free += 1
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]
        self._give()

    def _forget(self, who: str, go: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(who, deque())
        if go in queue:  # else it was dropped when a turn was given
            queue.remove(go)
            if not queue:
                del self._waiting[who]


@dataclass(frozen=True, slots=True)
class JobNotices:
    """Who tells what a job could not, and what a line to type begins with."""

    messenger: Messenger
    command: str


class Jobs:
    """Background work for interactions: ``at_once`` in a lane, ``each`` of one person, and ``LIGHT`` times as many
    light ones.
    """

    def __init__(
        self,
        messenger: Messenger,
        *,
        command: str = "/flows",
        at_once: int = AT_ONCE,
        each: int = EACH,
        turn_within: float = TURN_WITHIN,
        notice_after: float = NOTICE_AFTER,
        most: int = MOST,
        later: Callable[[float, Callable[[], None]], asyncio.Handle] | None = None,
    ) -> None:
        """``command``: what a line to type begins with. ``later``: instead of the loop's ``call_later``."""
        self._voice = JobNotices(messenger, command)
        self._lanes = {lane: JobSlots(at_once, each) for lane in (Lane.STOP, Lane.READ)}
        self._lanes[Lane.LIGHT] = JobSlots(LIGHT * at_once, LIGHT * each)
        self._no_turn = JobSlots(at_once // 2, each)
        self._turn_within = turn_within
        self._notice_after, self._notice_spared = notice_after, min(notice_after, NOTICE_SPARED)
        self._most, self._later = most, later
        self._jobs: set[asyncio.Task[None]] = set()
        self._refusals: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def under_way(self) -> int:
        """Jobs that run or wait for their turn."""
        return len(self._jobs)

    @property
    def running(self) -> int:
        """Jobs that have their turn."""
        return sum(turns.taken for turns in self._lanes.values())

    def start(
        self,
        interaction: Interaction,
        work: Callable[[], Awaitable[object]],
        *,
        doing: str = "",
        lane: Lane = Lane.READ,
        voice: JobNotices | None = None,
    ) -> None:
        """Run ``work`` in the background; ``doing`` ("reading the activeflows") is said when it takes long.

        ``voice``: of the VoIPBIN account that it is about, where there are several. Raises ``TooMany`` when it is not
        taken.
        """
        voice = voice or self._voice
        if self._closing:
            self._keep(self._refusals, self._refuse(interaction, CLOSING, voice))
        elif len(self._jobs) + len(self._refusals) >= self._most:
            raise TooMany
        else:
            self._keep(self._jobs, self._in_turn(interaction, work, doing, self._lanes[lane], voice))

    async def answered(self, who: str, work: Callable[[], Awaitable[R]], *, within: float) -> R:
        """Wait for work whose result is the ack itself; it takes its turn among what is light.

        Raises ``TimeoutError`` when it is not done in so many seconds.
        """
        async with asyncio.timeout(within), self._lanes[Lane.LIGHT].turn(who, within=within):
            return await work()

    async def drain(self, *, within: float = 10.0) -> int:
        """Take no more, wait for what is under way, cancel what is not done ``within`` seconds; how many that were."""
        self._closing = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while (pending := self._jobs | self._refusals) and loop.time() < deadline:
            await asyncio.wait(pending, timeout=deadline - loop.time())
        left = self._jobs | self._refusals
        for task in left:
            task.cancel()
        if left:
            log.error("jobs_cut_off", count=len(left))
            await asyncio.wait(left)
        return len(left)

    def _keep(self, tasks: set[asyncio.Task[None]], work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _in_turn(
        self,
        interaction: Interaction,
        work: Callable[[], Awaitable[object]],
        doing: str,
        turns: JobSlots,
        voice: JobNotices,
    ) -> None:
        began = asyncio.get_running_loop().time()
        try:
            async with turns.turn(interaction.user_id, within=self._turn_within):
                waited = asyncio.get_running_loop().time() - began
                notice_after = max(self._notice_after - waited, self._notice_spared)
                await self._run(interaction, work, doing, notice_after, voice)
        except TimeoutError:
            self._keep(self._refusals, self._refuse(interaction, BUSY, voice))

    async def _run(
        self,
        interaction: Interaction,
        work: Callable[[], Awaitable[object]],
        doing: str,
        notice_after: float,
        voice: JobNotices,
    ) -> None:
        notices: list[asyncio.Task[None]] = []  # a timer costs next to nothing, and a task for nothing does not
        with hearing() as ear:

            def notice() -> None:
                notices.append(asyncio.create_task(self._notice(interaction, ear, doing, voice)))

            timer = (self._later or asyncio.get_running_loop().call_later)(notice_after, notice)
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - the one place where anything becomes words
                await self._say(interaction, self._words(interaction, error, doing, voice), voice)
            finally:
                timer.cancel()
                for notice_task in notices:
                    notice_task.cancel()
                    with suppress(asyncio.CancelledError):
                        await notice_task

    async def _notice(self, interaction: Interaction, ear: VisibleReply, doing: str, voice: JobNotices) -> None:
        if not ear.spoken:
            await self._say(interaction, still_working(doing), voice)

    async def _refuse(self, interaction: Interaction, message: Message, voice: JobNotices) -> None:
        """Refuse in turn, too: the words for somebody's thousand do not use up the connections for everybody's
        answers.
        """
        try:
            async with self._no_turn.turn(interaction.user_id, within=_REFUSAL_WITHIN):
                await self._say(interaction, message, voice)
        except TimeoutError:  # Slack takes nothing, or next to nothing
            log.error("nobody_could_see_it", user=interaction.user_id, channel=interaction.channel_id)

    async def _say(self, interaction: Interaction, message: Message, voice: JobNotices) -> None:
        """Say a last word, which, if it fails, must not hide the first error, nor end the task with one nobody
        reads.
        """
        try:
            await voice.messenger.privately(interaction, message)
        except Exception as error:  # noqa: BLE001 - nothing is left but the log
            incident(error, user=interaction.user_id, doing="telling")

    def _words(self, interaction: Interaction, error: Exception, doing: str, voice: JobNotices) -> Message:
        root = root_of(error)
        if isinstance(root, BotError):
            log.info("job_refused", user=interaction.user_id, error=type(root).__name__, doing=doing)
            return explained(root, command=voice.command)
        return incident(root, user=interaction.user_id, doing=doing)
