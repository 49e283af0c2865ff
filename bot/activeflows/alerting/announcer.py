"""Find what the alert rules ask for, claim each alert in the ledger, then post it in its channel.

Promises: nothing is told that is not in the ledger first, so no restart and no other process tells it again without
saying so. Decisions:

- A card is posted at most once, and each alert is told at least once: an alert that nobody sees is worse than one that
  is told twice. Whoever dies before Slack's answer, or gets none that is clear, leaves a claim that nothing is known to
  have told of. No card is posted for it again; the next line names it, and says that it may be there already.
- A line is said at least once: it is written down after Slack's answer.
- What Slack certainly did not take is not claimed any more, and tried again a minute later if it is still so then.
- Nothing is found while what runs is not followed live.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from bot.activeflows.alert_rules import AlertRule, by_channel
from bot.activeflows.alerting.decision import AlertClaim, AlertClaims, HeldBack, StoredAlertClaim
from bot.activeflows.alerting.ports import Alert, AlertCards, AlertLedger, LiveActiveflows, PostResult
from bot.activeflows.anomalies import Anomaly, AnomalyDetector, Reason, may_be_stale
from bot.activeflows.errors import LedgerUnavailable
from bot.activeflows.model import Activeflow, Call
from bot.activeflows.ports import VoIPBIN
from bot.activeflows.queries.inspection import in_time
from bot.activeflows.queries.resolution import what_it_does
from bot.activeflows.watching.watch import LEASE

# ---------------------------------------------------------------- detection
# Find the troubles that a rule wants to be told of and nobody was told of yet.
#
# Decisions: a round, not events, because trouble comes from time passing as much as from change, and because so many
# looks in a beat cost the same whatever happens. What a first look suspects is looked at again with the flow's
# definition and the names, and only what is still so then is an alert. That a call is over is claimed only of a call
# that VoIPBIN was asked about and answered: an alert that says "probably stale" of a living caller would be a lie.

_BREATH: Final = 10
"""Activeflows looked at before others on the event loop get their turn."""


class AlertDetector:
    """Finds alerts: so many ``looks`` in a beat, ``calls`` of them with a question about a call.

    ``again``: seconds between two questions about the same one.
    """

    def __init__(
        self,
        voipbin: VoIPBIN,
        running: LiveActiveflows,
        detector: AnomalyDetector,
        *,
        now: Callable[[], datetime],
        side_look: float = 1.5,
        looks: int = 200,
        calls: int = 3,
        again: float = 60.0,
    ) -> None:
        self._voipbin, self.running, self._detector, self._now = voipbin, running, detector, now
        self._side_look, self._looks, self._calls, self._again = side_look, looks, calls, again
        self._clock = asyncio.get_running_loop().time
        self._round: deque[UUID] = deque()
        self._asked_at: dict[UUID, float] = {}
        self._questions = 0

    async def beat(
        self, rules: Sequence[AlertRule], known: Callable[[AlertClaim], bool]
    ) -> AsyncGenerator[Alert, None]:
        """Yield what the next looks find."""
        if not self._round:
            self._begin_round()
        self._questions = self._calls
        for number in range(min(self._looks, len(self._round))):
            activeflow = self.running.index.get(self._round.popleft())
            for alert in await self._look(activeflow, rules, known) if activeflow is not None else ():
                yield alert
            if number % _BREATH == 0:
                await asyncio.sleep(0)

    def _begin_round(self) -> None:
        self._round.extend(activeflow.id for activeflow in self.running.index.newest_first())
        self._asked_at = {id_: at for id_ in self._round if (at := self._asked_at.get(id_)) is not None}

    async def _look(
        self, activeflow: Activeflow, rules: Sequence[AlertRule], known: Callable[[AlertClaim], bool]
    ) -> list[Alert]:
        def wanted(trouble: Anomaly) -> list[AlertRule]:
            found = by_channel(rules, activeflow.flow_id, trouble.reason)
            return [rule for to, rule in found.items() if not known(AlertClaim(activeflow.id, trouble.reason, to))]

        suspected = self._detector.troubles(activeflow, self._now())
        if not any(wanted(trouble) for trouble in suspected):
            return []
        asks = any(trouble.reason is Reason.STALE for trouble in suspected)
        call, answered = await self._call(activeflow) if asks else (None, True)
        doing = await what_it_does(self._voipbin, activeflow, within=self._side_look)
        if self.running.index.get(activeflow.id) is not activeflow:  # it moved on meanwhile: another round will tell
            return []
        as_of = self._now()
        troubles = self._detector.of(activeflow, doing.situation, as_of, call=call)
        return [
            Alert(rule, activeflow, doing.flow_name, doing.situation, trouble, as_of)
            for trouble in troubles
            if answered or trouble.reason is not Reason.STALE
            for rule in wanted(trouble)
        ]

    async def _call(self, activeflow: Activeflow) -> tuple[Call | None, bool]:
        """Return its call, and whether VoIPBIN said so just now; not asked too often, nor too many at once."""
        call_id, asked_at = activeflow.reference.id, self._asked_at.get(activeflow.id)
        lately = asked_at is not None and self._clock() - asked_at < self._again
        if call_id is None or lately or not self._questions or not may_be_stale(activeflow, self._now()):
            return None, False
        self._questions -= 1
        self._asked_at[activeflow.id] = self._clock()
        look = await in_time(partial(self._voipbin.call, call_id), self._side_look)
        return look.value, look.answered


# ---------------------------------------------------------------- delivery

_RENEW: Final = LEASE / 3
_MARGIN: Final = 3.0
"""Seconds before its end in which the lease is not trusted any more."""
_FORGET_EVERY: Final = 3600.0
_KEPT_FOR: Final = timedelta(days=1)
"""As long as the longest ``within`` of a rule."""


@dataclass(frozen=True, slots=True)
class AlertPace:
    """Seconds. Slack takes one message a second in a channel (https://docs.slack.dev/apis/web-api/rate-limits)."""

    beat: float = 1.0
    between: float = 1.0
    shut: float = 60.0
    """How long a channel is left alone that Slack does not let the bot post in."""


class AlertChannels:
    """Posts in the channels of the rules, and leaves one alone that Slack does not let the bot post in.

    ``refused`` is told of such a channel and Slack's word, once.
    """

    def __init__(
        self,
        cards: AlertCards,
        rules: Callable[[], Sequence[AlertRule]],
        *,
        pace: AlertPace,
        refused: Callable[[str, str], None],
    ) -> None:
        self._cards, self._rules, self._pace, self._say_refused = cards, rules, pace, refused
        self._clock = asyncio.get_running_loop().time
        self._shut_until: dict[str, float] = {}
        self._refused: dict[str, str] = {}

    def rules(self) -> Sequence[AlertRule]:
        """Return all alert rules of the policy."""
        return self._rules()

    def open(self, rules: Sequence[AlertRule]) -> list[AlertRule]:
        """Return those in whose channel the bot may post, as far as is known."""
        return [rule for rule in rules if self._clock() >= self._shut_until.get(rule.to, 0.0)]

    def refused(self) -> dict[str, str]:
        """Return the channels of the rules in which Slack does not let the bot post, and its word for why."""
        named = {rule.to for rule in self._rules()}
        return {channel: why for channel, why in self._refused.items() if channel in named}

    async def post(self, alert: Alert) -> bool | None:
        """Post a card and tell whether Slack has it; ``None``: it may have it. As the next one."""
        return self._taken(alert.rule.to, await self._cards.post(alert))

    async def line(self, held_back: HeldBack, *, running: int) -> bool | None:
        return self._taken(held_back.rule.to, await self._cards.line(held_back, running=running))

    async def rest(self) -> None:
        """Rest after what was posted."""
        await asyncio.sleep(self._pace.between)

    def _taken(self, channel: str, said: PostResult) -> bool | None:
        if not said.refused and not said.unsure:
            self._refused.pop(channel, None)
            return True
        self._shut_until[channel] = self._clock() + (said.wait or self._pace.shut)
        if said.unsure:
            return None
        if not said.wait and self._refused.get(channel) != said.refused:
            self._refused[channel] = said.refused
            self._say_refused(channel, said.refused)
        return False


class AlertAnnouncer:
    """``attend`` is at work for as long as it runs. ``broken`` is told of what nobody foresaw."""

    def __init__(
        self,
        detector: AlertDetector,
        ledger: AlertLedger,
        channels: AlertChannels,
        *,
        beat: float,
        now: Callable[[], datetime],
        broken: Callable[[Exception], None],
    ) -> None:
        """``beat``: seconds between two looks."""
        self._running, self._detector, self._ledger, self._channels = detector.running, detector, ledger, channels
        self._every, self._now, self._broken = beat, now, broken
        self._clock = asyncio.get_running_loop().time
        self._claims = AlertClaims()
        self._held_until = self._renew_at = self._forget_at = 0.0

    async def attend(self) -> None:
        """Post alerts until cancelled."""
        try:
            while True:
                try:
                    await self._beat()
                except LedgerUnavailable:  # said by the database's own log
                    pass
                except Exception as trouble:  # noqa: BLE001 - whatever it was, the alerts must go on
                    self._broken(trouble)
                await asyncio.sleep(self._every)
        finally:
            await self._let_go()

    async def _beat(self) -> None:
        rules = self._channels.rules()
        if not rules:
            await self._let_go()
            return
        if not self._running.live or not await self._hold():
            return
        for rule in rules:
            await self._say_held_back(rule)
        async with aclosing(self._detector.beat(self._channels.open(rules), self._claims.knows)) as found:
            async for alert in found:
                await self._raise(alert)
        await self._forget(rules)

    # ---------------------------------------------------------------- telling

    async def _raise(self, alert: Alert) -> None:
        rule = alert.rule
        if not await self._may_post(rule) or self._claims.knows(alert.claim):
            return
        claimed = StoredAlertClaim(alert.claim, rule.key, self._now())
        if not await self._ledger.claim(claimed):
            self._held_until = self._renew_at = 0.0  # somebody else has it: the ledger says what is so now
            return
        may_tell = self._claims.may_tell(rule, self._now())
        self._claims.claim(claimed)
        if not self._in_force(rule):  # it was changed or taken away while the ledger wrote: nobody wants that any more
            await self._give_back(claimed)
            return
        if not may_tell:
            return
        posted = await self._channels.post(alert)
        if posted:
            await self._told(rule, (claimed,))
        elif posted is None:
            self._claims.doubt((claimed,))
        else:
            await self._give_back(claimed)

    async def _give_back(self, claimed: StoredAlertClaim) -> None:
        """Give back a claim that was certainly not told: it is found again if it is still so then."""
        await self._ledger.drop([claimed.claim])
        self._claims.give_back(claimed)

    async def _say_held_back(self, rule: AlertRule) -> None:
        held_back = self._claims.line(rule, self._now()) if await self._may_post(rule) else None
        if held_back is None:
            return
        ids = {each.claim.activeflow_id for each in held_back.claimed}
        running = sum(self._running.index.get(id_) is not None for id_ in ids)
        said = await self._channels.line(held_back, running=running)
        if said:
            await self._told(rule, held_back.claimed)
        elif said is None:
            self._claims.doubt(held_back.claimed)

    async def _may_post(self, rule: AlertRule) -> bool:
        """Tell whether the lease is ours, the policy still has this rule, and its channel is open."""
        return await self._hold() and self._in_force(rule)

    def _in_force(self, rule: AlertRule) -> bool:
        return rule in self._channels.open(self._channels.rules())

    async def _told(self, rule: AlertRule, claimed: Sequence[StoredAlertClaim]) -> None:
        at = self._now()
        self._claims.told(rule.key, claimed, at)
        await self._ledger.told([each.claim for each in claimed], at)
        await self._channels.rest()

    # ---------------------------------------------------------------- the ledger

    async def _hold(self) -> bool:
        """Tell whether the lease is ours; when it was not before, what the ledger has is read anew."""
        asked = self._clock()
        if asked >= self._renew_at:
            fresh, self._renew_at = asked >= self._held_until, asked + _RENEW
            if not await self._ledger.hold():
                self._held_until = 0.0
            else:
                self._claims = AlertClaims(await self._ledger.claimed()) if fresh else self._claims
                self._held_until = asked + LEASE - _MARGIN
        return self._clock() < self._held_until

    async def _let_go(self) -> None:
        if self._held_until:
            self._held_until = self._renew_at = 0.0
            with suppress(LedgerUnavailable):
                await self._ledger.release()

    async def _forget(self, rules: Sequence[AlertRule]) -> None:
        """Drop every hour what is a day old, of activeflows that have ended: nothing could tell it again."""
        if self._clock() < self._forget_at:
            return
        picture = await self._running.running(max_age=0.0)
        if picture is None or picture.complete_since is not None:
            return  # what was not read yet may still run
        self._forget_at = self._clock() + _FORGET_EVERY
        running, keys = {activeflow.id for activeflow in picture.activeflows}, {rule.key for rule in rules}
        before = self._now() - _KEPT_FOR
        old = [
            each.claim
            for each in await self._ledger.claimed()
            if each.claim.activeflow_id not in running
            and (each.told_at or each.since) < before
            and (each.told_at is not None or each.rule not in keys)
        ]
        if old:
            await self._ledger.drop(old)
            self._claims.forget(old)
