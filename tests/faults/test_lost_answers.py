"""Whatever becomes of VoIPBIN's answers, the card tells the truth, and no stop is sent twice on a guess.

Left out: an answer slower than the client's own time-out of 15 s, which the composition does not let anybody shorten.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.activeflows.stopping import max_ages
from bot.demo.slack.messages import Message
from bot.demo.voipbin.faults import (
    Fault,
    broken_json,
    delay,
    empty,
    half_answer,
    hold,
    html,
    lose_answer,
    reset_before,
    status,
    status_after_work,
)
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from tests.faults.truth import (
    Audit,
    Witness,
    assert_told_truly,
    heading,
    last_word,
    not_refused,
    present,
    stop_requests,
    stops_for_nothing,
    stops_with_effect,
    told_privately,
)
from tests.scenarios.conftest import ALICE, SHORT, Stage

_READ = "/activeflows/{id}"


@dataclass(frozen=True)
class Misfortune:
    """What the POSTs run into, one each, and what must come of it."""

    name: str
    faults: tuple[Fault, ...]
    heading: str
    posts: int
    effect: int = 1

    @property
    def for_good(self) -> bool:
        """Whether it outlasts the bot's tries. A look that comes too late is a try, too, and sends nothing."""
        return len(self.faults) > self.posts


def busy(retry_after: int = 0) -> Fault:
    return status(429, "RATE_LIMIT_EXCEEDED", retry_after=retry_after, details=[{"limited_by": "customer"}])


FAULT_SWITCHES = [
    Misfortune("answer lost after the work", (lose_answer(),), "Ended", 1),
    Misfortune("half an answer", (half_answer(),), "Ended", 1),
    Misfortune("503 after the work", (status_after_work(503, "REQUEST_TIMEOUT"),), "Ended", 1),
    Misfortune("500 after the work", (status_after_work(500, "INTERNAL"),), "Ended", 1),
    Misfortune("400 after the work", (status_after_work(400, "INVALID_ARGUMENT"),), "Ended", 1),
    Misfortune("reset before the work", (reset_before(),), "Stopped", 2),
    Misfortune("503 without the work", (status(503, "REQUEST_TIMEOUT"),), "Stopped", 2),
    Misfortune("500 without the work", (status(500, "INTERNAL"),), "Stopped", 2),
    Misfortune("400 without the work", (status(400, "INVALID_ARGUMENT"),), "Stopped", 2),
    Misfortune("a gateway's page", (html(502),), "Stopped", 2),
    Misfortune("an empty 504", (empty(504),), "Stopped", 2),
    Misfortune("broken JSON", (broken_json(),), "Stopped", 2),
    Misfortune("lost, then lost after the work", (reset_before(), lose_answer()), "Ended", 2),
    Misfortune("lost twice", (reset_before(), status(503, "REQUEST_TIMEOUT")), "Still running", 2, 0),
    Misfortune("lost, then no such activeflow", (reset_before(), status(404, "ACTIVEFLOW_NOT_FOUND")), "Still running", 2, 0),
    Misfortune("busy once", (busy(1),), "Stopped", 2),
    Misfortune("busy three times", (busy(1), busy(), busy()), "Stopped", 4),
    Misfortune("busy, then lost", (busy(), reset_before()), "Stopped", 3),
    Misfortune("lost, then busy", (reset_before(), busy(), busy(), busy()), "Stopped", 5),
    Misfortune("busy for good", (busy(),) * 20, "Nothing was stopped", 6, 0),
    Misfortune("401 once", (status(401, "INVALID_CREDENTIALS"),), "Stopped", 2),
    Misfortune("401 always", (status(401, "INVALID_CREDENTIALS"),) * 20, "Nothing was stopped", 6, 0),
    Misfortune("account frozen", (status(403, "ACCOUNT_FROZEN"),), "Nothing was stopped", 1, 0),
    Misfortune("no such activeflow", (status(404, "ACTIVEFLOW_NOT_FOUND"),), "Nothing was stopped", 1, 0),
]  # fmt: skip


@dataclass
class Scene:
    """A card that is about to be pressed."""

    stage: Stage
    activeflow: Activeflow
    card: Message

    async def press(self) -> None:
        slack = self.stage.slack
        delivery = await slack.clicks(ALICE, present(self.stage, self.card), "stop.flow")
        assert delivery.error is None
        await slack.until(lambda: present(self.stage, self.card) != self.card or told_privately(self.stage))

    async def reads(self, start: str) -> None:
        await self.stage.slack.until(lambda: present(self.stage, self.card).words.startswith(start))


@pytest.fixture
async def the_record_holds(witness: Witness, audit: Audit) -> AsyncIterator[None]:
    """What each story ends with."""
    yield
    witness.assert_each_was_announced()
    audit.assert_whole()
    assert audit.unfinished() == 0
    assert audit.claims() == 0


async def scene(stage: Stage) -> Scene:
    activeflow = stage.voipbin.rings(stage.voipbin.add_flow("Support line"), at="digits_receive")
    return Scene(stage, activeflow, await stage.asks_to_stop(activeflow))


async def finished(stage: Stage, audit: Audit) -> None:
    await stage.slack.until(lambda: audit.presses() > 0 and not audit.unfinished(), seconds=20)


@pytest.mark.usefixtures("the_record_holds")
@pytest.mark.parametrize("misfortune", FAULT_SWITCHES, ids=lambda misfortune: misfortune.name)
async def test_what_befalls_the_stop_is_cleared_up(
    misfortune: Misfortune, stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    async with stage.start():
        here = await scene(stage)
        witness.then(*misfortune.faults)
        await here.press()
        words = await last_word(stage, here.card, seconds=30)
        await finished(stage, audit)
    assert words.startswith(misfortune.heading)
    assert_told_truly(stage, here.activeflow, words)
    posts = len(stop_requests(voipbin, here.activeflow))
    if misfortune.for_good:
        assert audit.tries() == misfortune.posts
        assert 0 < posts <= misfortune.posts
    else:
        assert posts == misfortune.posts
    assert len(not_refused(voipbin, here.activeflow)) <= 2
    assert stops_with_effect(voipbin, here.activeflow) == misfortune.effect
    witness.assert_none_came_after_the_end()


@pytest.mark.usefixtures("the_record_holds")
async def test_a_look_that_comes_too_late_is_a_try_that_sends_nothing(
    stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    async def busy_and_then_slow(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        voipbin.faults.on("GET", _READ, delay(max_ages.LOOK + 0.5), times=1)
        await busy()(work, scope, receive, send)

    async with stage.start():
        here = await scene(stage)
        witness.then(busy_and_then_slow, *(busy(),) * 20)
        await here.press()
        await here.reads("Nothing was stopped")
        await finished(stage, audit)
    assert audit.tries() == stage.patience.attempts
    assert 0 < len(stop_requests(voipbin, here.activeflow)) < stage.patience.attempts


@pytest.mark.usefixtures("the_record_holds")
async def test_voipbin_is_down_at_the_press_and_comes_back(stage: Stage, voipbin: World, audit: Audit) -> None:
    async with stage.start():
        here = await scene(stage)
        down = voipbin.faults.on("GET", "*", reset_before(), times=None)
        await here.press()
        await here.reads("Nothing was stopped")
        assert stop_requests(voipbin, here.activeflow) == []
        await finished(stage, audit)
        down.clear()
        await here.press()
        await here.reads("Stopped")
        await finished(stage, audit)
    assert len(stop_requests(voipbin, here.activeflow)) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("the_record_holds")
@pytest.mark.parametrize("done", [True, False])
async def test_voipbin_goes_down_with_the_stop_and_stays_down(
    done: bool, stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    async with stage.start():
        here = await scene(stage)
        await _goes_down_with_the_stop(here, voipbin, witness, done=done)
        words = await last_word(stage, here.card)
        await finished(stage, audit)
    assert words.startswith("Not known\n")
    assert audit.outcomes(here.activeflow) == ["NotKnown"]
    assert len(stop_requests(voipbin, here.activeflow)) == 1


@pytest.mark.usefixtures("the_record_holds")
@pytest.mark.parametrize(("done", "posts", "start"), [(True, 1, "Ended"), (False, 2, "Stopped")])
async def test_voipbin_goes_down_with_the_stop_and_comes_back(
    done: bool, posts: int, start: str, stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    stage.patience = replace(SHORT, looks=100)
    async with stage.start():
        here = await scene(stage)
        await _goes_down_with_the_stop(here, voipbin, witness, done=done)
        await here.reads("Not known yet")
        voipbin.faults.clear()
        words = await last_word(stage, here.card)
        await finished(stage, audit)
    assert words.startswith(start)
    assert_told_truly(stage, here.activeflow, words)
    assert len(stop_requests(voipbin, here.activeflow)) == posts


async def _goes_down_with_the_stop(here: Scene, voipbin: World, witness: Witness, *, done: bool) -> None:
    async def goes_down(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        voipbin.faults.on("GET", "*", reset_before(), times=None)
        await (lose_answer() if done else reset_before())(work, scope, receive, send)

    witness.then(goes_down)
    await here.press()


@pytest.mark.usefixtures("the_record_holds")
async def test_a_stale_cache_neither_hides_the_end_for_ever_nor_is_believed(
    stage: Stage, voipbin: World, audit: Audit
) -> None:
    stage.patience = replace(SHORT, looks=100)
    async with stage.start():
        here = await scene(stage)
        catches_up = voipbin.reads_stale(here.activeflow)
        await here.press()
        await here.reads("Not known yet")
        assert voipbin.activeflow(here.activeflow.id).status == "ended"
        catches_up()
        words = await last_word(stage, here.card)
        await finished(stage, audit)
    assert words.startswith("Stopped")
    assert len(stop_requests(voipbin, here.activeflow)) == 1


@pytest.mark.usefixtures("the_record_holds")
async def test_a_cache_that_stays_stale_ends_in_an_honest_question(stage: Stage, voipbin: World, audit: Audit) -> None:
    async with stage.start():
        here = await scene(stage)
        voipbin.reads_stale(here.activeflow)
        await here.press()
        words = await last_word(stage, here.card)
        await finished(stage, audit)
    assert words.startswith("Not known\n")
    assert len(stop_requests(voipbin, here.activeflow)) == 1


@pytest.mark.usefixtures("the_record_holds")
async def test_a_stale_cache_and_a_lost_answer_cost_one_more_stop_at_most(
    stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    stage.patience = replace(SHORT, looks=100)
    async with stage.start():
        here = await scene(stage)
        catches_up = voipbin.reads_stale(here.activeflow)
        witness.then(lose_answer())
        await here.press()
        await stage.slack.until(lambda: stops_for_nothing(voipbin, here.activeflow) == 1)
        catches_up()
        words = await last_word(stage, here.card)
        await finished(stage, audit)
    assert heading_in(words) in {"Stopped", "Ended"}
    assert_told_truly(stage, here.activeflow, words)
    assert len(stop_requests(voipbin, here.activeflow)) == 2


@pytest.mark.usefixtures("the_record_holds")
async def test_it_moves_on_while_voipbin_is_too_busy_for_the_stop(
    stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    async with stage.start():
        here = await scene(stage)

        async def moves_on(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            voipbin.moves_to(here.activeflow, "queue_join")
            await busy()(work, scope, receive, send)

        witness.then(busy(), moves_on)
        await here.press()
        await here.reads("This call has moved on")
        await finished(stage, audit)
    assert len(stop_requests(voipbin, here.activeflow)) == 2
    assert voipbin.activeflow(here.activeflow.id).status == "running"


@pytest.mark.usefixtures("the_record_holds")
async def test_it_ends_by_itself_while_the_stop_is_on_its_way(
    stage: Stage, voipbin: World, witness: Witness, audit: Audit
) -> None:
    async with stage.start():
        here = await scene(stage)
        point = hold()
        witness.then(point)
        await here.press()
        await point.arrived()
        voipbin.ends(here.activeflow)
        point.release()
        words = await last_word(stage, here.card)
        await finished(stage, audit)
    assert "It ended by itself" in words
    assert heading(present(stage, here.card)) == "Ended"


def heading_in(words: str) -> str:
    return words.splitlines()[0]
