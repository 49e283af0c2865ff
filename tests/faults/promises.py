"""The three promises, each held against what the simulated VoIPBIN did and what the ledger held at that moment.

A breach is noted where it happens, in the middle of a story, and told by ``assert_kept``.
"""

from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import func, select

from bot.activeflows.bulk.bulk_stop import MemberOutcome
from bot.activeflows.records import Record, RecordKind
from bot.activeflows.stopping.stop import (
    Attribution,
    Cancelled,
    Ended,
    Expired,
    Intent,
    IntentState,
    NotKnown,
    NotSent,
    Press,
    PressInHand,
    StillRunning,
    StopInHand,
)
from bot.ledger import audit as chain
from bot.ledger.database import engine_for
from bot.ledger.tables import audit as audit_table
from bot.ledger.tables import claims, intents
from bot.voipbin.http.exchange import STOP_READ, longest
from tests.faults.at_the_instant import AtTheInstant
from tests.faults.bulk_promises import BulkPromises
from tests.faults.channel import Telling
from tests.faults.line import Post
from tests.faults.restartable_bot import RestartableBot

_INTENT: Final = TypeAdapter(Intent)
STALE_FOR: Final = 10.0
"""Seconds for which VoIPBIN's cache may show what is no longer so."""
_SAYS_ENDED: Final = {"Ended", str(MemberOutcome.STOPPED), str(MemberOutcome.ALREADY)}
_READING: Final = timedelta(seconds=STALE_FOR + 2)
_AT_WORK: Final = timedelta(seconds=longest(STOP_READ))
"""VoIPBIN works on while the bot's machine sleeps, and a story's does not: what was sent before that is over."""


class Promises:
    """Looks on."""

    def __init__(self, bot: RestartableBot) -> None:
        self._bot = bot
        self._engine = engine_for(bot.url)
        self.breaches: list[str] = []
        self.bulk = BulkPromises(bot, self._must)
        self.instant = AtTheInstant(bot, self._must)
        bot.line.sends, bot.channel.listens = self._at_post, self._at_telling

    def close(self) -> None:
        self._engine.dispose()

    def records(self) -> list[Record]:
        """All of them, oldest first."""
        with self._engine.begin() as connection:
            return [chain.record_of(b) for b in connection.execute(select(audit_table.c.body).order_by(audit_table.c.seq)).scalars()]  # fmt: skip

    def _must(self, holds: bool, breach: str) -> None:
        if not holds:
            self.breaches.append(f"{self._bot.now():%H:%M:%S.%f} {breach}")

    # ---------------------------------------------------------------- never a wrong stop

    def _at_post(self, post: Post) -> None:
        """What must be so in the moment in which a stop is sent."""
        everything = self.records()
        records = [record for record in everything if record.activeflow_id == post.activeflow_id]
        sendings = [r for r in records if r.what is RecordKind.SENDING and not r.detail.get("wish")]
        self._must(bool(sendings), "a stop was sent that no record announces")
        if not sendings:
            return
        sending = sendings[-1]
        post.announced_as = sending.key
        before = [p for p in self._bot.line.posts if p.activeflow_id == post.activeflow_id]
        at_work = [p for p in before if p.on_its_way and self._bot.now() < p.at + _AT_WORK]
        self._must(not at_work, "two stops of one activeflow are on their way at once")
        again = [p for p in before if p.announced_as == sending.key and not p.refused]
        self._must(not again, f"sent twice under one record, {sending.key}")
        intent = self.intent(sending.intent_id)
        self._must(intent is not None, "sent for no intent")
        if intent is None:
            return
        self._must(self._bot.now() < intent.deadline, "sent after the deadline")
        self._must(intent.activeflow_id == post.activeflow_id, "sent for another activeflow than the card's")
        presses = self._bot.workflows.all.values()
        press = next((w.press for w in presses if w.press.by == sending.who), None)
        self._must(press is not None, f"nobody called {sending.who} has pressed")
        if press is not None:
            self.instant.look(intent, press, many=bool(intent.bulk_id))
        if intent.bulk_id:
            self.bulk.at_post(post, intent, sending, everything)
        else:
            press = self._bot.workflows.all[sending.key.split("/")[0]].press
            self._must_follow(records, sending, press, intent)
            self._must(self._permitted(press, intent), f"{press.by} had no permission that was asked for this press")

    def _must_follow(self, records: list[Record], sending: Record, press: Press, intent: Intent) -> None:
        """Asked (or asked once more), pressed and allowed, sending: each in the chain, in this order."""
        asked = [
            n
            for n, r in enumerate(records)
            if (r.what is RecordKind.ASKED and r.intent_id == intent.id)
            or (r.what is RecordKind.MOVED and r.at == intent.asked_at)
        ]
        pressed = [n for n, r in enumerate(records) if r.key == f"{press.id}/{RecordKind.PRESSED}"]
        order = [*asked[:1], *pressed, records.index(sending)]
        self._must(len(asked) > 0 and len(pressed) == 1 and order == sorted(order), f"no whole chain: {order}")
        self._must(sending.at <= self._bot.now(), "announced in the future")

    def _permitted(self, press: Press, intent: Intent) -> bool:
        answers = [a for a in self._bot.people.answers if a.at >= press.at]
        own = [a for a in answers if a.user == press.by]
        asker_may = any(a.may_stop for a in answers if a.user == intent.asked_by)
        for answer in own:
            another = press.by != intent.asked_by
            approves = answer.may_approve and another and not intent.on_behalf and asker_may
            if (answer.may_stop or approves) and (another or not (intent.on_behalf or answer.two_person)):
                return True
        return False

    # ---------------------------------------------------------------- never a lie

    def _at_telling(self, telling: Telling) -> None:
        """The words on a card, in the moment in which everybody begins to read them."""
        activeflow = self._bot.world.activeflow(telling.intent.activeflow_id)
        ended = activeflow.status == "ended"
        by_card = self._effective_by_card(telling)
        words = telling.words
        match telling.phase:
            case Ended(receipt="") | StillRunning(receipt="") | NotSent(receipt="") | NotKnown(receipt="", final=True):
                hurt = telling.press is not None and telling.press.id in self._bot.outage.hurt
                self._must(hurt, f"no receipt: {words}")  # only where the ledger did not answer
        match telling.phase:
            case Ended(attribution=attribution):
                self._must(ended, f"it runs, and the card says: {words}")
                this = attribution is Attribution.THIS_PRESS
                self._must(words.startswith("Stopped") is this, f"heading: {words}")
                if this:
                    mine = telling.press is not None and telling.press.by in {p.by for p in by_card}
                    self._must(mine or telling.phase.call is not None, f"none of its presses did it: {words}")
                elif attribution not in {Attribution.UNCERTAIN, Attribution.CALL_UNREAD}:
                    self._must(not by_card, f"{by_card[:1]} did it, and the card says: {words}")
            case NotSent() | Expired() | Cancelled():
                self._must(not by_card, f"{by_card[:1]} stopped it, and the card says: {words}")
            case StillRunning(at=at):
                over_since = activeflow.tm_update if ended else None
                self._must(not by_card, f"{by_card[:1]} stopped it, and the card says: {words}")
                self._must(over_since is None or over_since > at - _READING, f"ended at {over_since}, says: {words}")
            case PressInHand(by=by, since=since, as_of=as_of):
                ids = {w.press.id for w in self._bot.workflows.all.values() if (w.press.by, w.press.at) == (by, since)}
                sent = [p for p in self._bot.line.posts if p.announced_as.split("/")[0] in ids and p.at <= as_of]
                self._must(not sent, f"sent at {sent[:1]}, and the card says: {words}")
                over = [r for r in self.records() if r.what is RecordKind.OUTCOME and r.key.split("/")[0] in ids]
                self._must(not over, f"drawn over what came of it: {words}")
            case _:
                pass

    def _effective_by_card(self, telling: Telling) -> list[Press]:
        """The presses on this card that ended it."""
        pressed = []
        for post in self._bot.line.posts:
            if post.effective and not post.member and post.activeflow_id == telling.intent.activeflow_id:
                press = self._bot.workflows.all[post.announced_as.split("/")[0]].press
                intent = self.intent(press.intent_id)
                if intent is not None and intent.message_ts == telling.card:
                    pressed.append(press)
        return pressed

    # ---------------------------------------------------------------- at any time, and at the end

    def intent(self, intent_id: str) -> Intent | None:
        with self._engine.begin() as connection:
            body = connection.execute(select(intents.c.body).where(intents.c.id == intent_id)).scalar()
        return None if body is None else _INTENT.validate_json(body)

    def look(self) -> None:
        """What must be so between any two moments."""
        with self._engine.begin() as connection:
            flaws = chain.proof(connection).flaws
            self.bulk.look(connection)
        self._must(not flaws, f"the audit: {flaws}")
        for record in self.records():
            if (
                record.what is RecordKind.OUTCOME
                and record.detail.get("outcome") in _SAYS_ENDED
                and record.activeflow_id
            ):
                ended = self._bot.world.activeflow(record.activeflow_id).status == "ended"
                self._must(ended, f"the audit says that {record.activeflow_id} ended, and it runs")
                listed = self._bot.process is not None and self._bot.live_index.index.get(record.activeflow_id)
                read_here = record.at >= self._bot.started_at
                self._must(not listed or not read_here, f"{record.activeflow_id} is listed, and was read as ended")
        for workflow in self._bot.workflows.all.values():
            self._must(not workflow.broken, f"a workflow ended with {workflow.broken}")

    def look_at_the_end(self) -> None:
        """What must be so when everything has come to rest."""
        self.look()
        self._must(self._bot.live_index.live, "what runs is not followed live any more")
        listed = {activeflow.id for activeflow in self._bot.live_index.index.newest_first()}
        rows = self._bot.world.records.activeflows
        runs = {row.id for row in rows if row.status == "running"}
        runs -= {id_ for id_ in runs if any(path.endswith(str(id_)) for path in self._bot.line.not_found)}
        self._must(listed == runs, f"listed, and over: {listed - runs}; not listed, and running: {runs - listed}")
        line, workflows, channel = self._bot.line, self._bot.workflows, self._bot.channel
        records = {record.key: record for record in self.records()}
        for stop in (stop for stop in self._bot.world.stops if stop.changed):
            by = [p for p in line.posts if p.effective and p.activeflow_id == stop.activeflow_id]
            self._must(len(by) == 1, f"{len(by)} stops ended {stop.activeflow_id}")
            for post in by:
                press_id = post.announced_as.split("/")[0]
                self._must(f"{press_id}/{RecordKind.OUTCOME}" in records, f"no outcome of {press_id} in the audit")
        for workflow in workflows.all.values():
            self._must(workflow.done, f"{workflow.press.id} was never carried out to its end")
            self._must(workflow.press.id in channel.heard, f"nobody heard what became of {workflow.press.id}")
        for card in {telling.card for telling in channel.tellings} - channel.missed:
            last = channel.last(card)
            if last is not None:
                self._must(not isinstance(last.phase, StopInHand | PressInHand), f"a card is left with {last.words}")
                self._must(not last.words.startswith("Not known yet"), f"a card is left with {last.words}")
        with self._engine.begin() as connection:
            held = connection.execute(select(func.count()).select_from(claims)).scalar_one()
            stopping = connection.execute(select(intents.c.id).where(intents.c.state == str(IntentState.STOPPING)))
            left = list(stopping.scalars())
            self.bulk.look_at_the_end(connection, records)
        self._must(held == 0, f"{held} claims were not given back")
        self._must(not left, f"left as being stopped: {left}")

    def assert_kept(self) -> None:
        assert not self.breaches, "\n".join(self.breaches)
