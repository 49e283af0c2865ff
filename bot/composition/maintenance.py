"""Look after the policy file and record the audit's heads while the bot runs.

Promises: a change of the policy takes effect within two looks, and a record of it is in the audit chain. While the
ledger takes no record a change takes effect all the same (it may be the one that locks somebody out) and is recorded
later; nothing can be stopped without a ledger anyway. What is broken is logged as an error, and said by ``/readyz``.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.index import Index
from bot.activeflows.records import WITHIN, Head, Record, RecordKind
from bot.composition.background import beside, forever, tried
from bot.ledger import audit, audit_archive
from bot.ledger.audit import receipt_of
from bot.ledger.baseline_store import BaselineStore
from bot.ledger.database import Database
from bot.logs import AUDIT_HEAD
from bot.policy import PolicyInForce
from bot.policy.active_policy import BLIND
from bot.slack import health as slack
from bot.slack.blocks.audit_list import head_in
from bot.slack.people.outsiders import Outsiders

log = structlog.get_logger(__name__)
Tell: TypeAlias = Callable[[Head, date], Awaitable[bool]]
LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the policy file."""
HEAD_EVERY: Final = 1.0
"""Seconds between two questions whether a head is to be told."""
HEAD_AGAIN: Final = 60.0
"""Seconds until a head that nobody could see is told again."""
FORGET_EVERY: Final = 3600.0
KEPT_FOR: Final = timedelta(days=1)
"""Longer than any press is carried out, and than Slack's signature of a repeated delivery is good for."""
BY: Final = "policy file"
"""Who, in the record of a change."""


class PolicyWatch:
    """Keeps the policy in force, the log and the audit in step with the file."""

    def __init__(self, in_force: PolicyInForce, database: Database, *, now: Callable[[], datetime]) -> None:
        self._in_force, self._database, self._now = in_force, database, now
        self._recorded: str | None = None
        self._suspended = False

    async def record(self) -> None:
        """Write down which policy is in force, if that is not what the chain says already."""
        version = self._in_force.version
        if version.sha256 == self._recorded:
            return
        detail: dict[str, str | int | bool | None] = {
            "sha256": version.sha256,
            "grants": len(version.policy.grants),
        }
        key = f"policy:{secrets.token_hex(16)}"
        record = Record(key, self._now(), RecordKind.POLICY, BY, "", None, detail=detail)
        try:
            await self._database.within(lambda connection: audit.note(connection, record))
        except LedgerUnavailable:
            log.error("policy_not_recorded", sha256=version.sha256)
        else:
            self._recorded = version.sha256

    async def look(self) -> None:
        """Look at the file, and say and record what has changed."""
        suspended = self._in_force.suspended
        if self._in_force.look(await asyncio.to_thread(self._in_force.read)) or suspended is not self._suspended:
            self._suspended = suspended
            self._say()
        await self.record()

    def _what_then(self) -> str:
        if self._in_force.suspended:
            return "Nobody may stop any more."
        return (
            f"Nobody may stop {BLIND:g} s after it." if self._in_force.blind else "The last good policy stays in force."
        )

    def _say(self) -> None:
        version = self._in_force.version
        for mistake in self._in_force.trouble:
            log.error("policy_broken", why=mistake, in_force=version.sha256, what=self._what_then())
        if not self._in_force.trouble:
            log.warning("policy_changed", grants=len(version.policy.grants), sha256=version.sha256)


class HeadPublisher:
    """Logs the head of the audit chain each day (UTC) and after each outcome, and tells it where people keep it."""

    def __init__(
        self, database: Database, tell: Tell, *, now: Callable[[], datetime], again: float = HEAD_AGAIN
    ) -> None:
        """``again``: seconds until one that nobody could see is told again."""
        self._database, self._tell, self._now, self._again = database, tell, now, again
        self._owed: tuple[Head, date] | None = None
        self._not_before = 0.0

    async def tell(self) -> None:
        """Tell a head if one is due, or nobody could see the last one."""
        day, head = self._now().astimezone(UTC).date(), None
        if await self._database.reading(partial(audit.due, day=day)):
            head = await self._database.within(partial(audit.claim, day=day))
        if head is not None:
            structlog.get_logger(AUDIT_HEAD).info("audit_head", day=day.isoformat(), head=str(head))
            self._owed, self._not_before = (head, day), 0.0
        if self._owed is None or time.monotonic() < self._not_before:
            return
        if await self._tell(*self._owed):
            self._owed = None
            return
        self._not_before = time.monotonic() + self._again
        if head is not None:
            log.error("audit_head_not_posted", head=str(head), what="it stands in this log; tried again each minute")


async def forgetting(
    forget: Callable[[datetime], Awaitable[int]], now: Callable[[], datetime], *, kept_for: timedelta
) -> None:
    """Drop, every hour until cancelled, what durable presses left behind. The audit keeps what matters."""

    async def drop() -> None:
        dropped = await forget(now() - kept_for)
        if dropped:
            log.info("presses_forgotten", count=dropped)

    await forever(drop, every=FORGET_EVERY)


async def retaining(database: Database, days: int, now: Callable[[], datetime]) -> None:
    """Cut off, every hour until cancelled, what of the audit was written before the last so many days (UTC)."""

    async def prune() -> None:
        today = now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        await audit_archive.prune(database, today - timedelta(days=days), who=audit_archive.BY_SETTING, now=now())

    await forever(prune, every=FORGET_EVERY)


@asynccontextmanager
async def counted(outsiders: Outsiders) -> AsyncIterator[Outsiders]:
    """Log as a count, while the block lasts and at its end, what was refused and not written down."""
    async with beside(forever(outsiders.say, every=WITHIN)):
        yield outsiders
    await outsiders.say()


@asynccontextmanager
async def kept_up(
    in_force: PolicyInForce,
    database: Database,
    tell: Tell,
    *,
    now: Callable[[], datetime],
    look_every: float = LOOK_EVERY,
    audit_days: int | None = None,
) -> AsyncIterator[None]:
    """Repeat all this while the block lasts. ``tell`` gives a head to people, and answers whether it could.

    ``audit_days``: so many days of the audit are kept; ``None``: all of it.
    """
    watch = PolicyWatch(in_force, database, now=now)
    await watch.record()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beside(forever(HeadPublisher(database, tell, now=now).tell, every=HEAD_EVERY)))
        if audit_days is not None:
            await stack.enter_async_context(beside(retaining(database, audit_days, now)))
        if in_force.watched:
            await stack.enter_async_context(beside(forever(watch.look, every=look_every)))
        yield


# ---------------------------------------------------------------- baseline
# Learn how long things usually take: from the index, into the ledger, for the anomaly detector.
#
# Promises: nothing here holds up an event or ends by itself. While the ledger takes nothing, what was learned is kept
# for later, in memory and bounded; without an event stream nothing is learned.

KEEP_EVERY: Final = 60.0
"""Seconds between two times that what was learned is written down."""
THINK_EVERY: Final = 1.0
_AT_ONCE: Final = 50
"""Changes worked through before others on the event loop get their turn."""


class BaselineLearner:
    """Keeps the stays of what runs, and their past."""

    def __init__(self, store: BaselineStore, *, now: Callable[[], datetime]) -> None:
        self.stays = DwellTimes()
        self._store, self._now = store, now
        self._known = False

    @asynccontextmanager
    async def at_work(
        self, index: Index, *, keep_every: float = KEEP_EVERY, think_every: float = THINK_EVERY
    ) -> AsyncIterator[AnomalyDetector]:
        """Learn from this index while the block lasts; yields who judges by it."""
        deaf = index.listen(self.stays.hear)
        try:
            async with beside(forever(self.think, every=think_every)), beside(forever(self.keep, every=keep_every)):
                yield AnomalyDetector(self.stays)
        finally:
            deaf()
            await tried(self.think)
            await tried(self.keep)

    async def think(self) -> None:
        """Work through what was heard."""
        more = True
        while more:
            more = self.stays.work(_AT_ONCE)
            await asyncio.sleep(0)

    async def keep(self) -> None:
        """Write down what was learned since, and read what the others learned. Raises ``LedgerUnavailable``."""
        if not self._known:
            self.stays.know(await self._store.all())
            self._known = True
        new = self.stays.take_new()
        try:
            known = await self._store.add(new, self._now())
        except BaseException:
            self.stays.give_back(new)
            raise
        self.stays.know(known)


# ---------------------------------------------------------------- audit witness
# Compare the ledger with the heads that this bot posted in the audit channel, where whoever has the database can't edit
# them.
#
# All of them that are found are compared, not the last one only: whoever begins another chain has heads of that posted,
# too.

ABOUT = slack.AUDIT_CHANNEL
_ON_PURPOSE: Final = "If the ledger was replaced on purpose, name another audit_channel in the policy."


async def look(client: AsyncWebClient, database: Database, channel: str) -> Finding:
    """Look whether the chain still goes through every head that was posted there. Raises ``LedgerUnavailable``."""
    heads = await slack.told_heads(client, channel, head_in)  # before the chain is read: each of them was in it by then
    if isinstance(heads, Finding):
        return heads
    gone = await database.reading(partial(audit.first_missing, known=heads))
    if gone is None:
        posted = "the head" if len(heads) == 1 else f"each of the {len(heads)} heads"
        return Finding(ABOUT, HealthState.OK, f"{posted} posted there is in the ledger")
    head, why = gone
    what = f"head {receipt_of(head.seq, head.hash)}, which I posted there, is not in the ledger: {why}"
    return Finding(
        ABOUT, HealthState.BROKEN, what, f"Ask who changed the database: flows-bot audit verify. {_ON_PURPOSE}"
    )


async def look_without_ledger(client: AsyncWebClient, channel: str) -> Finding:
    """Look whether no head was posted there yet, either."""
    heads = await slack.told_heads(client, channel, head_in)
    if isinstance(heads, Finding):
        return replace(heads, what=f"there is no ledger yet; {heads.what}")
    newest = max(heads, key=lambda head: head.seq)
    what = f"there is no ledger, but I posted heads there, up to {receipt_of(newest.seq, newest.hash)}"
    then = f"Look whether FLOWS_BOT_DATABASE_URL is the ledger's, and who removed it if it is. {_ON_PURPOSE}"
    return Finding(ABOUT, HealthState.BROKEN, what, then)
