"""What is found, for whom, in which order, and what is said of the rest; against a VoIPBIN in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from bot.activeflows.anomalies import AnomalyDetector, DwellTimes
from bot.activeflows.callers import CallFound, CallsLooked
from bot.activeflows.errors import NotPermitted, NotUnderstood, TooManySearches
from bot.activeflows.model import Activeflow, Call, Flow, Party, Picture, Status
from bot.activeflows.numbers import Number
from bot.activeflows.operators import Grant, Operator, Permission
from bot.activeflows.records import ChainedRecord, Entry, Record, RecordQuery
from bot.activeflows.search.finder import Finder
from bot.activeflows.search.number_search import MOST as NUMBERS_AN_HOUR
from bot.activeflows.search.number_search import NumberRecord
from bot.activeflows.search.ranking import MOST, Findings, MatchKind, SearchTerms, terms_in
from tests.unit.activeflows.queries.test_listing import (
    ALICE,
    MENU,
    NOBODY,
    NOW,
    SUPPORT_ONLY,
    THEIRS,
    InMemory,
    operator,
    running,
)

NUMBER = SearchTerms(numbers=(Number("5550107731"),))


class LookedThrough:
    """What a look through the calls gave."""

    def __init__(self, *found: CallFound) -> None:
        self.found, self.asked = found, 0

    async def calls_with(self, numbers: Sequence[Number]) -> CallsLooked:
        assert numbers
        self.asked += 1
        return CallsLooked(self.found, len(self.found), NOW, NOW - timedelta(hours=2), "pages")


class OnlyWhatRuns(InMemory):
    """Its pictures hold what runs, as the index does."""

    async def picture(self, *, max_age: float = 5.0) -> Picture:
        whole = await super().picture(max_age=max_age)
        return replace(whole, activeflows=tuple(a for a in whole.activeflows if a.running))


def call(number: int, activeflow_id: UUID | None, *, owner: UUID | None = None) -> CallFound:
    id_ = UUID(int=0xCA0 + number)
    return CallFound(id_, owner or id_, activeflow_id, "from", "+1555•••••31", over=False, began=NOW)


async def search(
    voipbin: InMemory,
    terms: SearchTerms,
    *calls: CallFound,
    operator: Operator = ALICE,
    looked: LookedThrough | None = None,
) -> Findings:
    searching = Finder(
        voipbin,
        looked or LookedThrough(*calls),
        lambda: NOW,
        records=InMemoryRecords(),
        detector=AnomalyDetector(DwellTimes()),
        side_look=0.05,
        name_look=0.05,
    )
    return await searching.find(operator, terms)


def found(findings: Findings) -> list[UUID]:
    return [hit.row.activeflow.id for hit in findings.hits]


async def test_nothing_is_asked_for_somebody_who_may_view_nothing_nor_for_nothing() -> None:
    voipbin, looked = InMemory([running(1)]), LookedThrough()
    with pytest.raises(NotPermitted):
        await search(voipbin, NUMBER, operator=NOBODY, looked=looked)
    for terms in (SearchTerms(), SearchTerms(words="x" * 101)):
        with pytest.raises(NotUnderstood):
            await search(voipbin, terms, looked=looked)
    assert (voipbin.asked.total(), looked.asked) == (0, 0)


async def test_what_runs_stands_before_what_ended_and_the_newest_first() -> None:
    rows = [running(1, status=Status.ENDED), running(2), running(3)]
    findings = await search(OnlyWhatRuns(rows), NUMBER, *(call(n, a.id) for n, a in enumerate(rows)))
    assert found(findings) == [rows[1].id, rows[2].id, rows[0].id]
    assert findings.unread == findings.without == 0


async def test_of_many_calls_whose_activeflows_ended_so_many_are_read_and_the_rest_is_counted() -> None:
    rows = [running(n, status=Status.ENDED) for n in range(MOST + 5)]
    voipbin = OnlyWhatRuns(rows)
    findings = await search(voipbin, NUMBER, *(call(n, a.id) for n, a in enumerate(rows)))
    assert (len(findings.hits), findings.unread, voipbin.asked["activeflow"]) == (MOST, 5, MOST)


async def test_a_call_that_runs_for_no_activeflow_is_counted() -> None:
    assert (await search(InMemory(), NUMBER, call(1, None))).without == 1


async def test_the_call_that_placed_a_leg_is_looked_up_when_it_was_not_among_those_looked_through() -> None:
    one, owner = running(1), UUID(int=0xB055)
    party = Party("tel", "+15550100001")
    voipbin = InMemory([one], calls={owner: Call(owner, one.id, "progressing", "incoming", party, party)})
    findings = await search(voipbin, NUMBER, call(1, None, owner=owner))
    assert found(findings) == [one.id]
    assert findings.hits[0].match.call is not None
    assert findings.hits[0].match.call.leg


async def test_what_somebody_may_not_view_and_what_is_another_customers_is_as_if_it_were_not_there() -> None:
    rows = [running(1, MENU), running(2, customer_id=THEIRS), running(3)]
    calls = [call(n, a.id) for n, a in enumerate(rows)]
    findings = await search(InMemory(rows), NUMBER, *calls, operator=SUPPORT_ONLY)
    alike = await search(InMemory(rows[2:]), NUMBER, calls[2], operator=SUPPORT_ONLY)
    assert (found(findings), findings.total, findings.hidden) == ([rows[2].id], 1, 0)
    assert _said(findings) == _said(alike)


async def test_a_call_that_leads_to_nothing_readable_is_counted_for_those_only_from_whom_nothing_is_hidden() -> None:
    calls = [call(1, None), call(2, UUID(int=0xE0DED))]
    assert _said(await search(InMemory(), NUMBER, *calls))[1:] == (1, 1, 2)
    assert _said(await search(InMemory(), NUMBER, *calls, operator=SUPPORT_ONLY))[1:] == (0, 0, 0)


async def test_the_last_digits_are_enough_only_where_one_may_reveal_the_caller() -> None:
    rows = [running(1, MENU), running(2)]
    calls = [replace(call(n, a.id), whole=False) for n, a in enumerate(rows)]
    assert found(await search(InMemory(rows), NUMBER, *calls)) == []
    flows = frozenset({rows[1].flow_id}) if rows[1].flow_id else None
    may = {"U0ALICE"}, frozenset({Permission.REVEAL})
    revealer = operator(*(*ALICE.policy.grants, Grant(2, frozenset(may[0]), may[1], flows=flows)))
    assert found(await search(InMemory(rows), NUMBER, *calls, operator=revealer)) == [rows[1].id]


def _said(findings: Findings) -> tuple[list[UUID], int, int, int]:
    """Everything an answer says of the calls."""
    calls = findings.calls.found if findings.calls is not None else ()
    return found(findings), findings.unread, findings.without, len(calls)


# ---------------------------------------------------------------- how often


class InMemoryRecords:
    """The audit, for the bound."""

    def __init__(self) -> None:
        self.all: list[Record] = []

    async def record(self, record: Record) -> ChainedRecord:
        await asyncio.sleep(0)  # others are asked meanwhile
        self.all.append(record)
        return ChainedRecord(len(self.all), "", new=True)

    async def records(self, question: RecordQuery) -> list[Entry]:
        await asyncio.sleep(0)
        since = question.since or NOW
        fits = [r for r in self.all if r.what is question.what and r.who == question.who and r.at >= since]
        return [Entry(0, record, "") for record in reversed(fits)][: question.limit]


async def test_many_guesses_at_the_same_moment_do_not_pass_the_bound_and_an_hour_later_it_goes_on() -> None:
    records, now = InMemoryRecords(), [NOW]
    right = NumberRecord(records, now=lambda: now[0])
    numbers = NUMBER.numbers * 3
    tries = await asyncio.gather(*(right.write(ALICE, numbers) for _ in range(30)), return_exceptions=True)
    assert tries.count(None) == NUMBERS_AN_HOUR // 3 == len(records.all)
    (refused,) = {error.again_at for error in tries if isinstance(error, TooManySearches)}
    assert refused == NOW + timedelta(hours=1)
    assert {record.detail["endings"] for record in records.all} == {"31, 31, 31"}
    assert "5550107731" not in str(records.all)
    now[0] = refused + timedelta(seconds=1)
    await right.write(ALICE, numbers)


async def test_the_same_name_stands_before_what_is_like_it_and_that_before_what_says_it() -> None:
    flows = [Flow(UUID(int=0xF10), "Play"), Flow(UUID(int=0xF11), "Playing area"), Flow(UUID(int=0xF12), "Survey")]
    rows = [running(n, flow) for n, flow in enumerate(reversed(flows))]
    findings = await search(InMemory(rows, {flow.id: flow for flow in flows}), terms_in("play"))
    assert [hit.row.flow_name for hit in findings.hits] == ["Play", "Playing area", "Survey"]
    assert [hit.match.how for hit in findings.hits] == [MatchKind.FLOW, MatchKind.FLOW, MatchKind.SITUATION]


async def test_words_are_looked_for_in_what_runs_only() -> None:
    findings = await search(InMemory([running(1, status=Status.ENDED), running(2)]), terms_in("support"))
    assert found(findings) == [running(2).id]


async def test_names_that_could_not_be_had_are_counted() -> None:
    findings = await search(InMemory([running(1), running(2)], silent=True), terms_in("support"))
    assert (findings.total, findings.unnamed) == (0, 2)


async def test_ids_and_numbers_of_one_text_are_found_each_once_and_the_id_is_told() -> None:
    one: Activeflow = running(1)
    terms = SearchTerms(targets=(one.id,), numbers=NUMBER.numbers)
    findings = await search(InMemory([one]), terms, call(1, one.id))
    assert found(findings) == [one.id]
    assert findings.hits[0].match.how is MatchKind.ID


async def test_an_id_that_nothing_has_is_said_and_the_rest_is_found() -> None:
    one, nothing = running(1), UUID(int=0xDEAD << 96)
    findings = await search(InMemory([one]), SearchTerms(targets=(nothing, one.id)))
    assert (found(findings), findings.absent) == ([one.id], (nothing,))
