"""Look-ups that are cancelled before they begin leave nothing behind."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable

import pytest

from bot.activeflows.queries.inspection import look_at
from bot.activeflows.queries.resolution import flows
from tests.unit.activeflows.queries.test_listing import NOW, InMemory, running


def _flows(voipbin: InMemory) -> Awaitable[object]:
    return flows(voipbin, [one.flow_id for one in voipbin.activeflows], within=1.0)


def _look(voipbin: InMemory) -> Awaitable[object]:
    return look_at(voipbin, voipbin.activeflows[0], now=NOW, within=1.0)


@pytest.mark.parametrize("asked", [_flows, _look])
async def test_who_is_cancelled_before_the_look_ups_begin_leaves_no_question_unasked(
    asked: Callable[[InMemory], Awaitable[object]],
) -> None:
    voipbin = InMemory([running(1)])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        looking = asyncio.ensure_future(asked(voipbin))
        await asyncio.sleep(0)  # its look-ups are tasks by now, and none of them has run
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        gc.collect()
    assert [str(one.message) for one in said] == []
