"""Which activeflows a frozen list holds, for whom, and what is said of those it does not hold."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.bulk.bulk_stop import (
    Bulk,
    Member,
    MemberOutcome,
    Run,
    counted,
    grouped,
    intent_of,
    outcome_words,
    press_on,
    remainder,
)
from bot.activeflows.bulk.snapshot import BulkSnapshot
from bot.activeflows.model import Action, Call, Party, Reference, Status
from bot.activeflows.operators import Grant, Permission
from bot.activeflows.queries.filters import Filters
from bot.activeflows.stopping.stop import Press
from tests.unit.activeflows.queries.test_listing import MENU, NOW, SUPPORT, THEIRS, InMemory, operator, running

BOTH = frozenset({Permission.VIEW, Permission.BULK})
ALICE = operator(Grant(1, frozenset({"U0ALICE"}), BOTH))
SUPPORT_ONLY = operator(
    Grant(1, frozenset({"U0ALICE"}), BOTH, flows=frozenset({SUPPORT.id})),
    Grant(2, frozenset({"U0ALICE"}), frozenset({Permission.VIEW})),
)
KINDS = st.sampled_from(["digits", "talk", "queue.waiting"])


def freezing(voipbin: InMemory) -> BulkSnapshot:
    return BulkSnapshot(voipbin, lambda: NOW, side_look=0.05, filter_look=0.05)


def member(number: int, kind: str = "digits", flow: int = 1) -> Member:
    return Member(number, UUID(int=number << 96), UUID(int=flow), f"Flow {flow}", kind, f"in {kind}", "call", NOW)


def bulk_of(*members: Member) -> Bulk:
    until = NOW + timedelta(minutes=5)
    return Bulk("b" * 32, Filters(type="call"), members, "U0ALICE", "C0", "loops", NOW, until, NOW, None)


PRESS = Press("b" * 32, "U0CAROL", "T0", "C0", "3.4", NOW, reply_address={"response_url": "https://secret"})


# ---------------------------------------------------------------- freezing


async def test_the_oldest_comes_first_and_what_ended_or_is_not_ours_is_not_listed() -> None:
    voipbin = InMemory([running(1), running(3), running(2, status=Status.ENDED), running(4, customer_id=THEIRS)])
    frozen = await freezing(voipbin).freeze(ALICE, Filters(type="call"))
    assert [m.activeflow_id for m in frozen.members] == [running(3).id, running(1).id]
    assert [m.number for m in frozen.members] == [1, 2]
    assert [m.flow_name for m in frozen.members] == ["Support line"] * 2


async def test_what_the_grant_for_bulk_stops_does_not_cover_is_counted_and_not_listed() -> None:
    voipbin = InMemory([running(1), running(2, MENU), running(3, MENU)])
    frozen = await freezing(voipbin).freeze(SUPPORT_ONLY, Filters(type="call"))
    assert [m.flow_id for m in frozen.members] == [SUPPORT.id]
    assert frozen.left.hidden == 2


async def test_on_behalf_of_somebody_who_may_stop_none_in_bulk_all_that_they_may_see_is_listed() -> None:
    viewer = operator(Grant(1, frozenset({"U0ALICE"}), frozenset({Permission.VIEW}), flows=frozenset({SUPPORT.id})))
    voipbin = InMemory([running(1), running(2, MENU), running(3)])
    calls = Filters(type="call")
    assert (await freezing(voipbin).freeze(viewer, calls)).members == ()
    frozen = await freezing(voipbin).freeze(viewer, calls, on_behalf=True)
    assert [m.flow_id for m in frozen.members] == [SUPPORT.id] * 2
    assert frozen.left.hidden == 1
    assert await freezing(voipbin).more(viewer, calls, frozenset({running(1).id}), on_behalf=True) == 1


async def test_what_is_only_probable_is_apart_when_the_filter_is_about_what_it_does() -> None:
    steps = (Action(UUID(int=7), "queue_join"),)
    probable = running(1, flow_id=None, executed=steps)
    voipbin = InMemory([probable, running(2, current=Action(UUID(int=8), "queue_join"))])
    frozen = await freezing(voipbin).freeze(ALICE, Filters(action="queue_join"))
    assert [m.activeflow_id for m in frozen.members] == [running(2).id]
    assert frozen.left.uncertain == (probable.id,)
    assert len((await freezing(voipbin).freeze(ALICE, Filters(type="call"))).members) == 2


async def test_a_flow_without_a_known_name_is_counted_and_never_guessed() -> None:
    voipbin = InMemory([running(1), running(2)], silent=True)
    frozen = await freezing(voipbin).freeze(ALICE, Filters(flow="Support line"))
    assert frozen.members == ()
    assert frozen.left.unnamed == 2


async def test_a_name_that_nothing_has_is_answered_with_one_like_it() -> None:
    frozen = await freezing(InMemory([running(1)])).freeze(ALICE, Filters(flow="suport line"))
    assert (frozen.members, frozen.similar) == ((), ("Support line",))


async def test_only_those_asked_for_again_are_frozen_again_if_they_still_fit() -> None:
    voipbin = InMemory([running(1), running(2), running(3, reference=Reference("ai"))])
    among = frozenset({running(2).id, running(3).id})
    frozen = await freezing(voipbin).freeze(ALICE, Filters(type="call"), among=among)
    assert [m.activeflow_id for m in frozen.members] == [running(2).id]
    assert await freezing(voipbin).more(ALICE, Filters(type="call"), among) == 1


async def test_the_sample_masks_callers_and_does_without_them_when_they_do_not_answer() -> None:
    voipbin = InMemory([running(number) for number in range(1, 6)])
    for each in voipbin.activeflows:
        call_id = each.reference.id or each.id
        parties = Party("tel", "+15550107777"), Party("tel", "+15550100002")
        voipbin.calls[call_id] = Call(call_id, each.id, "progressing", "incoming", *parties)
    frozen = await freezing(voipbin).freeze(ALICE, Filters(type="call"))
    sample = await freezing(voipbin).sample(frozen.members)
    assert len(sample) == 3
    assert all("caller +1555" in words and "0107777" not in words for words in sample)
    voipbin.failing = True
    assert all("caller" not in words for words in await freezing(voipbin).sample(frozen.members))


# ---------------------------------------------------------------- the values


@given(st.lists(st.tuples(KINDS, st.integers(1, 3)), min_size=1, max_size=30))
def test_groups_hold_every_member_once_the_largest_first(which: list[tuple[str, int]]) -> None:
    members = tuple(member(number, kind, flow) for number, (kind, flow) in enumerate(which, 1))
    groups = grouped(members)
    assert sum(group.count for group in groups) == len(members)
    assert len(groups) == len(set(which))
    assert [group.count for group in groups] == sorted((group.count for group in groups), reverse=True)
    for group in groups:
        assert group.count == sum((m.flow_name, m.words) == (group.flow_name, group.words) for m in members)


@given(st.dictionaries(st.integers(1, 20), st.sampled_from(MemberOutcome)))
def test_every_member_is_counted_once_and_what_may_run_is_left(became: dict[int, MemberOutcome]) -> None:
    bulk = bulk_of(*(member(number) for number in range(1, 21)))
    counts = counted(bulk, became)
    assert sum(counts.values()) == 20
    over = counts[MemberOutcome.STOPPED] + counts[MemberOutcome.ALREADY] + counts[MemberOutcome.GONE]
    assert len(remainder(bulk, Run(became=became))) == 20 - over
    ended, others = outcome_words(bulk, became)
    assert ended == f"{counts[MemberOutcome.STOPPED]} of 20 ended"
    assert sum(int(part.split()[0]) for part in others.split(", ") if part) == 20 - counts[MemberOutcome.STOPPED]


def test_each_member_has_an_intent_and_a_press_of_its_own_and_always_the_same() -> None:
    bulk = bulk_of(*(member(number) for number in range(1, 51)))
    until = NOW + timedelta(minutes=1)
    intents = [intent_of(bulk, each, until) for each in bulk.members]
    presses = [press_on(intent, PRESS) for intent in intents]
    assert len({intent.id for intent in intents}) == len({press.id for press in presses}) == 50
    assert [intent_of(bulk, each, until) for each in bulk.members] == intents
    assert {(intent.deadline, intent.bulk_id, intent.reason) for intent in intents} == {(until, bulk.id, "loops")}
    assert {(press.by, *press.reply_address.values()) for press in presses} == {("U0CAROL", "")}
    asked = replace(bulk, on_behalf=True)
    assert {intent_of(asked, each, until).on_behalf for each in asked.members} == {True}
