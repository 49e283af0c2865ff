"""What is looked up for a Home, for whom, and that nothing slow or broken holds it up; against a VoIPBIN in memory."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes, Reason
from bot.activeflows.errors import LedgerUnavailable, NotPermitted, VoIPBINUnreachable
from bot.activeflows.health import Finding, HealthState, Look, looked
from bot.activeflows.index import Index
from bot.activeflows.model import Flow, Picture
from bot.activeflows.operators import Grant, Operator
from bot.activeflows.queries.audit_review import AuditReview
from bot.activeflows.queries.home import MOST, Home, HomeQuery, MentionChoice, Overview
from bot.activeflows.records import Entry, RecordQuery
from tests.unit.activeflows.queries.test_listing import (
    ALICE,
    NOBODY,
    NOW,
    SUPPORT_ONLY,
    VIEW,
    InMemory,
    operator,
    running,
)

CHANNEL_ONLY = replace(operator(Grant(1, frozenset({"U0ALICE"}), VIEW, frozenset({"C0INCIDENTS"}))), channel="")


@dataclass
class Memory:
    """What runs, as remembered; ``stalls``: whoever wants it newer than it is waits for ever."""

    picture: Picture | None
    stalls: bool = False
    asked: list[float] = field(default_factory=list)
    index: Index = field(default_factory=Index)

    async def running(self, *, max_age: float) -> Picture | None:
        self.asked.append(max_age)
        if self.stalls and max_age < math.inf:
            await asyncio.Event().wait()
        return self.picture


class NoLedger:
    """A ledger that cannot be read."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"nobody asks for {name}")

    async def records(self, _: RecordQuery) -> Sequence[Entry]:
        raise LedgerUnavailable("out of reach")


def home_of(voipbin: InMemory, live: Memory | None = None, *, side_look: float = 0.05) -> HomeQuery:
    async def well() -> Finding:
        return Finding("ledger", HealthState.OK, "is there")

    looks: Mapping[str, Look] = {"ledger": well}
    audit_review = AuditReview(NoLedger(), lambda: NOW)  # type: ignore[arg-type] # as much of one as is asked
    mention = MentionChoice(NoLedger(), lambda: NOW)  # type: ignore[arg-type] # likewise
    return HomeQuery(
        voipbin,
        live,
        AnomalyDetector(DwellTimes()),
        audit_review,
        mention,
        lambda: looks,
        lambda: NOW,
        side_look=side_look,
        patience=0.2,
    )


async def filled(at_home: HomeQuery, who: Operator = ALICE) -> Home:
    home = Home()
    await at_home.fill(home, who)
    assert home.whole
    return home


def overview(home: Home) -> Overview:
    assert isinstance(home.overview, Overview)
    return home.overview


def pictured(voipbin: InMemory) -> Picture:
    return Picture(tuple(voipbin.activeflows), NOW, None)


async def test_nothing_is_asked_for_whoever_may_view_nowhere() -> None:
    voipbin, live = InMemory([running(1)]), Memory(None)
    home = await filled(home_of(voipbin, live), NOBODY)
    assert (home.overview, home.stops, home.health, live.asked) == (None, None, None, [])
    assert not voipbin.asked


async def test_what_runs_is_not_looked_at_for_whoever_may_view_in_a_channel_only() -> None:
    voipbin, live = InMemory([running(1)]), Memory(None)
    home = await filled(home_of(voipbin, live), CHANNEL_ONLY)
    assert (home.overview, live.asked) == (None, [])
    assert home.health is not None


async def test_only_the_largest_flows_are_named_and_all_are_counted() -> None:
    flows = [Flow(UUID(int=900 + n), f"Flow {n}") for n in range(MOST + 2)]
    found = [running(8 * n + again, flow) for n, flow in enumerate(flows) for again in range(n + 1)]
    voipbin = InMemory(found, flows={flow.id: flow for flow in flows})
    told = overview(await filled(home_of(voipbin, Memory(pictured(voipbin)))))
    assert [(group.name, group.count) for group in told.listing.groups] == [
        (f"Flow {n}", n + 1) for n in (6, 5, 4, 3, 2)
    ]
    assert (told.flows, told.listing.total, told.judged) == (MOST + 2, len(found), len(found))
    assert voipbin.asked == {"flow": MOST}


async def test_what_may_not_be_seen_is_counted_as_hidden_and_judged_for_nobody() -> None:
    menu = next(flow for flow in InMemory().flows.values() if flow.name == "Main menu")
    voipbin = InMemory([running(1), running(200, menu)])
    told = overview(await filled(home_of(voipbin, Memory(pictured(voipbin))), SUPPORT_ONLY))
    assert (told.listing.total, told.listing.hidden, told.troubled) == (1, 1, ())


async def test_the_oldest_that_are_worth_a_look_come_first_and_the_rest_is_counted() -> None:
    voipbin = InMemory([running(minutes) for minutes in range(64, 74)])
    told = overview(await filled(home_of(voipbin, Memory(pictured(voipbin)))))
    assert [one.activeflow.id for one in told.troubled] == [running(n).id for n in (73, 72, 71, 70, 69)]
    assert {trouble.reason for one in told.troubled for trouble in one.troubles} == {Reason.STALE}
    assert told.troubled_in_all == 8


async def test_looking_through_many_ends_in_time() -> None:
    voipbin = InMemory([running(n) for n in range(400)])
    told = overview(await filled(home_of(voipbin, Memory(pictured(voipbin)), side_look=0.0)))
    assert 0 < told.judged < told.listing.total == 400


async def test_a_list_that_is_being_read_again_is_not_waited_for() -> None:
    voipbin = InMemory([running(1)])
    live = Memory(pictured(voipbin), stalls=True)
    assert overview(await filled(home_of(voipbin, live))).listing.total == 1
    assert live.asked == [60.0, math.inf]


async def test_names_that_do_not_come_are_left_out() -> None:
    voipbin = InMemory([running(1)], silent=True)
    told = overview(await filled(home_of(voipbin, Memory(pictured(voipbin)))))
    assert [group.name for group in told.listing.groups] == [None]


async def test_what_cannot_be_had_is_a_failure_in_its_place() -> None:
    home = await filled(home_of(InMemory(), Memory(None)))
    assert overview(home).listing.total == 0  # asked of VoIPBIN directly
    assert isinstance(home.stops, LedgerUnavailable)

    class Silent(InMemory):
        async def picture(self, *, max_age: float = 5.0) -> Picture:  # noqa: ARG002 # the port's
            await asyncio.Event().wait()
            raise AssertionError

    home = await filled(home_of(Silent()))
    assert isinstance(home.overview, VoIPBINUnreachable)
    assert home.health is not None


# ---------------------------------------------------------------- looks


async def test_whatever_a_look_does_it_is_a_finding_and_hides_no_other() -> None:
    async def well() -> Finding:
        return Finding("one", HealthState.OK, "fine")

    async def never() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def fails() -> Finding:
        raise LedgerUnavailable("the ledger is out of reach")

    async def breaks() -> Finding:
        raise KeyError("+15550109876")

    looks = {"one": well, "two": never, "three": fails, "four": breaks}
    found = await looked(looks, within=0.05)
    assert [(one.about, one.state) for one in found] == [
        ("one", HealthState.OK),
        ("two", HealthState.WARNING),
        ("three", HealthState.BROKEN),
        ("four", HealthState.BROKEN),
    ]
    assert [one.what for one in found[2:]] == ["the ledger is out of reach", "could not be looked at (KeyError)"]
    assert all(one.next for one in found[1:])
    assert (await looked({"two": never}, within=0.01, unanswered=HealthState.BROKEN))[0].state is HealthState.BROKEN


async def test_a_choice_that_cannot_be_read_is_not_shown_and_its_person_is_mentioned() -> None:
    home = await filled(home_of(InMemory([running(1)])))
    assert home.mentioned is None
    assert await MentionChoice(NoLedger(), lambda: NOW).is_mentioned("U0ALICE")  # type: ignore[arg-type] # as above


async def test_whoever_may_view_nowhere_chooses_nothing_and_the_ledger_is_not_asked() -> None:
    mention = MentionChoice(NoLedger(), lambda: NOW)  # type: ignore[arg-type] # as above
    with pytest.raises(NotPermitted):
        await mention.choose(NOBODY, mentioned=False)
    with pytest.raises(LedgerUnavailable):
        await mention.choose(ALICE, mentioned=False)
