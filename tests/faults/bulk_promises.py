"""The promises about bulk stops, each held against the list as it was frozen, VoIPBIN, and the ledger of that
moment.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from bot.activeflows.bulk.bulk_stop import Bulk, BulkState, Member, MemberOutcome, intent_of, press_on
from bot.activeflows.records import Record, RecordKind
from bot.activeflows.stopping import max_ages
from bot.activeflows.stopping.stop import Intent, Press, PressKind
from bot.ledger.tables import bulk_members, bulks
from tests.faults.channel import BulkTelling
from tests.faults.directory import Answer
from tests.faults.line import Post
from tests.faults.restartable_bot import RestartableBot
from tests.faults.workflows import Workflow

_AT_ONCE: Final = 2
_PERMIT: Final = timedelta(seconds=max_ages.PERMIT + 0.05)
_CONFIRM_WITHIN: Final = timedelta(minutes=5)
_LOOK_IS_FRESH: Final = timedelta(seconds=3.5)
_OVER: Final = {MemberOutcome.STOPPED, MemberOutcome.ALREADY, MemberOutcome.GONE}
_PROVES_NOTHING: Final = {MemberOutcome.ALREADY, MemberOutcome.GONE, MemberOutcome.MOVED, MemberOutcome.TAKEN}
_MAY_HAVE_ENDED_IT: Final = {MemberOutcome.STOPPED, MemberOutcome.UNKNOWN}
_PROGRESS: Final = re.compile(r"(\d+) of \d+ ended((?: · \d+ [a-z]+(?: [a-z]+)*)*)")


class BulkPromises:
    """Looks on. ``must`` notes a breach."""

    def __init__(self, bot: RestartableBot, must: Callable[[bool, str], None]) -> None:
        self._bot, self._must = bot, must
        self.frozen: dict[str, Bulk] = {}
        """As they were when they were asked for."""
        self._aborted: dict[str, datetime] = {}
        self._put_away: set[str] = set()
        bot.channel.listens_to_bulk = self._at_telling

    def aborted(self, bulk_id: str) -> None:
        """It was acknowledged: from now on only what is on the wire may still arrive."""
        members = self._bot.workflows.members.values()
        in_flight = {m.id for m in members if m.press.intent_id == bulk_id and m.begun and not m.done}
        self._must(len(in_flight) <= _AT_ONCE, f"{len(in_flight)} are in flight at once")
        self._aborted[bulk_id] = self._bot.now()

    def put_away(self, bulk_id: str) -> None:
        self._put_away.add(bulk_id)

    def presses(self, bulk_id: str) -> list[Press]:
        """All on its card."""
        return [w.press for w in self._bot.workflows.all.values() if w.press.intent_id == bulk_id and w.press.wish is PressKind.BULK]  # fmt: skip

    # ---------------------------------------------------------------- when a stop is sent

    def at_post(self, post: Post, intent: Intent, sending: Record, records: Iterable[Record]) -> None:
        """What must be so in the moment in which a member's stop is sent."""
        bulk = self.frozen.get(intent.bulk_id)
        member = next((m for m in bulk.members if m.activeflow_id == post.activeflow_id), None) if bulk else None
        self._must(member is not None, f"{post.activeflow_id} was not on the frozen list")
        if bulk is None or member is None:
            return
        press = next((p for p in self.presses(bulk.id) if _own(bulk, member, p) == sending.key.split("/")[0]), None)
        self._must(press is not None, f"nobody pressed {bulk.id}")
        if press is None:
            return
        workflow = self._bot.workflows.members[f"{press.id}/{member.number}"]
        post.member, now = workflow.id, self._bot.now()
        keys = [record.key for record in records]
        chain = [f"{bulk.id}/{RecordKind.ASKED}", f"{press.id}/{RecordKind.PRESSED}", sending.key]
        order = [keys.index(key) for key in chain if key in keys]
        self._must(len(order) == len(chain) and order == sorted(order), f"no whole chain: {order}")
        self._must(now < press.at + _CONFIRM_WITHIN, "sent after the time of the bulk stop")
        self._must(bulk.id not in self._put_away, "sent for a card that was put away")
        self._must(now - self._aborted.get(bulk.id, now) <= _PERMIT, "sent after the abort")
        self._must_be_few(post, press)
        self._must(not self._refused_before(workflow), f"{workflow.id} was begun after another one was refused")
        self._must(self._permitted(post, press, bulk), f"{press.by} had no permission when it came to {workflow.id}")

    def _must_be_few(self, post: Post, press: Press) -> None:
        """Two in flight at most; one, until it has ended."""
        before = [p for p in self._bot.line.posts if p.member.rpartition("/")[0] == press.id]
        in_flight = sum(p.waited_for for p in before)
        self._must(in_flight < _AT_ONCE, f"{in_flight} were in flight, and one more was sent")
        others = [self._bot.workflows.members[id_] for id_ in {p.member for p in before} - {post.member}]
        if not any(other.became is MemberOutcome.STOPPED for other in others):
            waited = all(other.done and other.became in _PROVES_NOTHING for other in others)
            self._must(waited, f"{post.member} did not wait for the first one: {[(o.id, o.became) for o in others]}")

    def _refused_before(self, workflow: Workflow) -> list[Workflow]:
        begun = workflow.begun or self._bot.now()
        refused = [m for m in self.members_of(workflow.press.intent_id) if m.became is MemberOutcome.NOT_PERMITTED]
        return [m for m in refused if m.over is not None and m.over < begun]

    def _permitted(self, post: Post, press: Press, bulk: Bulk) -> bool:
        """By the last answers for this turn, or for this further stop, or since the process was started anew."""
        posts = self._bot.line.posts
        sent = [p.at for p in posts if p.member == post.member and p.announced_as != post.announced_as]
        since = max(self._bot.started_at - _LOOK_IS_FRESH, *sent[-1:], press.at)
        answers = [a for a in self._bot.people.answers if a.within == post.member and a.at >= since]
        own, asker = _last(answers, press.by), _last(answers, bulk.asked_by)
        if own is None:
            return False
        another = press.by != bulk.asked_by
        approves = another and own.may_approve and not bulk.on_behalf and asker is not None and asker.may_bulk
        return (own.may_bulk or approves) and (another or not (bulk.on_behalf or own.two_for_bulk))

    # ---------------------------------------------------------------- what is said, and what is left

    def _at_telling(self, telling: BulkTelling) -> None:
        bulk, run, words = telling.bulk, telling.run, telling.words
        self._must_be_true(bulk, {m.number: run.of(m) for m in bulk.members}, over=run.state is BulkState.DONE)
        calls = run.ending.calls if run.ending is not None else {}
        for member in (m for m in bulk.members if m.number in calls and calls[m.number].state == "hung_up"):
            call = self._bot.world.call_of(self._bot.world.activeflow(member.activeflow_id))
            gone = call is None or call.status == "hangup"
            self._must(gone, f"the caller of {member.short_id} is there, and called hung up")
        if words.startswith("All "):
            self._must(all(self._ended(m) for m in bulk.members), f"some run, and the card says: {words[:60]}")
        found = _PROGRESS.search(words)
        if run.state in {BulkState.STOPPING, BulkState.ABORTING, BulkState.DONE}:
            parts = [int(n) for n in re.findall(r"· (\d+)", found[2])] if found else []
            total = int(found[1]) + sum(parts) if found else 0
            self._must(total == len(bulk.members), f"{total} of {len(bulk.members)} are accounted for: {words}")
        elif run.state in {BulkState.CANCELLED, BulkState.EXPIRED}:
            self._must("Nothing was stopped" in words and not self._effective(bulk), f"{words[:60]}")

    def _must_be_true(self, bulk: Bulk, became: dict[int, MemberOutcome], *, over: bool) -> None:
        effective = self._effective(bulk)
        for member in bulk.members:
            what = became.get(member.number, MemberOutcome.LEFT)
            self._must(what not in _OVER or self._ended(member), f"{member.short_id} runs, and is called {what}")
            if over or what is not MemberOutcome.LEFT:
                did_not = member.number not in effective or what in _MAY_HAVE_ENDED_IT
                self._must(did_not, f"the bulk stop ended {member.short_id}, and it is called {what}")

    def look(self, connection: Connection) -> None:
        """What must be so between any two moments."""
        for member in self._bot.workflows.members.values():
            self._must(not member.broken, f"a member's workflow ended with {member.broken}")
        at_work: dict[str, int] = {}
        for post in self._bot.line.posts:
            if post.waited_for and post.member:
                press_id = post.member.rpartition("/")[0]
                at_work[press_id] = at_work.get(press_id, 0) + 1
        self._must(all(count <= _AT_ONCE for count in at_work.values()), f"in flight: {at_work}")
        for bulk in self.frozen.values():
            self._must_be_true(bulk, _became(connection, bulk), over=_state(connection, bulk) is BulkState.DONE)

    def look_at_the_end(self, connection: Connection, records: dict[str, Record]) -> None:
        """What must be so when everything has come to rest."""
        for bulk in self.frozen.values():
            state, last = _state(connection, bulk), self._bot.channel.last_of_bulk(bulk.id)
            self._must(state not in {BulkState.STOPPING, BulkState.ABORTING}, f"{bulk.id} is left as {state}")
            if state is not BulkState.DONE:
                continue
            if bulk.id not in self._bot.channel.missed:
                final = last is not None and last.run.state is BulkState.DONE and last.run.ending is not None
                self._must(final, f"the last word on {bulk.id} is {last and last.words}")
            owner = connection.execute(select(bulks.c.press_id).where(bulks.c.id == bulk.id)).scalar_one()
            press = next(p for p in self.presses(bulk.id) if p.id == owner)
            for member in bulk.members:
                key = f"{_own(bulk, member, press)}/{RecordKind.OUTCOME}"
                self._must(key in records, f"nothing on record of what became of {member.number} of {bulk.id}")
        for member_ in self._bot.workflows.members.values():
            self._must(member_.done, f"{member_.id} was never carried out to its end")

    def members_of(self, bulk_id: str) -> list[Workflow]:
        return [m for m in self._bot.workflows.members.values() if m.press.intent_id == bulk_id]

    def _ended(self, member: Member) -> bool:
        return self._bot.world.activeflow(member.activeflow_id).status == "ended"

    def _effective(self, bulk: Bulk) -> set[int]:
        """Numbers of the members that this bulk stop ended."""
        workflows = {m.id: m.number for m in self.members_of(bulk.id)}
        posts = (p for p in self._bot.line.posts if p.effective and p.member in workflows)
        return {number for p in posts if (number := workflows[p.member]) is not None}


def _own(bulk: Bulk, member: Member, press: Press) -> str:
    return press_on(intent_of(bulk, member, bulk.deadline), press).id


def _last(answers: list[Answer], user: str) -> Answer | None:
    return next((answer for answer in reversed(answers) if answer.user == user), None)


def _became(connection: Connection, bulk: Bulk) -> dict[int, MemberOutcome]:
    told = select(bulk_members.c.number, bulk_members.c.became).where(bulk_members.c.bulk_id == bulk.id)
    return {row.number: MemberOutcome(row.became) for row in connection.execute(told)}


def _state(connection: Connection, bulk: Bulk) -> BulkState:
    return BulkState(connection.execute(select(bulks.c.state).where(bulks.c.id == bulk.id)).scalar_one())
