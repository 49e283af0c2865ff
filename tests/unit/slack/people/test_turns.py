"""Turns are shared out among people, whoever asks for how many."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.transport.jobs import JobSlots


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_everybody_has_a_turn_never_too_many_at_once_and_nobody_twice_before_another_who_waits(
    arrivals: list[str], at_once: int, each: int
) -> None:
    async def story() -> None:
        turns, holding, done = JobSlots(at_once, each), Counter[str](), list[str]()

        async def one(who: str) -> None:
            async with turns.turn(who, within=60.0):
                holding[who] += 1
                assert holding.total() <= at_once
                assert holding[who] <= each
                await asyncio.sleep(0)
                holding[who] -= 1
                done.append(who)

        await asyncio.gather(*(one(who) for who in arrivals))
        assert Counter(done) == Counter(arrivals)

    asyncio.run(story())


async def test_one_more_person_waits_for_one_turn_and_not_behind_a_crowd() -> None:
    turns, order = JobSlots(1, 1), list[str]()

    async def one(who: str) -> None:
        async with turns.turn(who, within=60.0):
            order.append(who)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(who) for who in ["guest"] * 50 + ["colleague"]))
    assert order.index("colleague") <= 2


async def test_a_turn_is_not_given_to_somebody_who_gave_up_in_that_very_moment() -> None:
    turns = JobSlots(1, 1)
    async with turns.turn("a", within=60.0):
        impatient = [asyncio.create_task(_held(turns, "b")) for _ in range(2)]
        patient = asyncio.create_task(_held(turns, "c"))
        await asyncio.sleep(0)
        for one in impatient:
            one.cancel()  # they have not noticed yet when the turn is given back
    ended = await asyncio.gather(*impatient, patient, return_exceptions=True)
    assert [type(how) for how in ended] == [asyncio.CancelledError, asyncio.CancelledError, type(None)]
    assert turns.taken == 0


async def test_who_gives_up_costs_nobody_a_turn() -> None:
    turns = JobSlots(1, 1)
    async with turns.turn("a", within=60.0):
        with pytest.raises(TimeoutError):
            async with turns.turn("b", within=0.0):
                raise AssertionError
        waiting = asyncio.create_task(_held(turns, "c"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with turns.turn("b", within=60.0):
        pass


async def _held(turns: JobSlots, who: str) -> None:
    async with turns.turn(who, within=60.0):
        pass
