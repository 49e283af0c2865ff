"""Between the bot and VoIPBIN stands a bad network: bytes are cut off, come late, drop by drop, or not at all.

In each story the POSTs that reached VoIPBIN, the card, and the audit agree with what the simulated VoIPBIN did.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest

from bot.demo.voipbin.world import World
from tests.faults.proxy import Mishap, Proxy, proxying
from tests.faults.truth import Audit, Witness, assert_told_truly, last_word, stop_requests, stops_with_effect
from tests.scenarios.conftest import ALICE, SHORT, Stage

_STOP, _GET = b"/stop HTTP/1.1", b"GET /v1.0/activeflows/"


def answer(status: str, body: bytes = b"", *headers: str) -> Mishap:
    """What a gateway in between says by itself."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return Mishap(instead="\r\n".join(lines).encode() + body)


BUSY = answer("429 Too Many Requests", b"", "Retry-After: 0")
HICCUP = answer(
    "401 Unauthorized",
    b'{"error":{"status":"UNAUTHENTICATED","reason":"INVALID_CREDENTIALS","message":"x","details":[]}}',
    "Content-Type: application/json",
)


@dataclass(frozen=True)
class Story:
    """What befalls the stops, in turn, and what must come of it. ``posts``: how many reached VoIPBIN."""

    name: str
    mishaps: tuple[Mishap, ...]
    heading: str
    posts: int
    effect: int = 1
    reads: tuple[Mishap, ...] = ()


STORIES = [
    Story("nothing befalls it", (), "Stopped", 1),
    Story("the answer is lost after the write", (Mishap(answer_bytes=0),), "Ended", 1),
    Story("reset after the write", (Mishap(answer_bytes=0, reset=True),), "Ended", 1),
    Story("half a status line", (Mishap(answer_bytes=7),), "Ended", 1),
    Story("half an answer", (Mishap(answer_bytes=300),), "Ended", 1),
    Story("half an answer, then a reset", (Mishap(answer_bytes=300, reset=True),), "Ended", 1),
    Story("drop by drop", (Mishap(byte_by_byte=0.0005),), "Stopped", 1),
    Story("the request comes late", (Mishap(request_late=1.5),), "Stopped", 1),
    Story("the answer comes late", (Mishap(answer_late=1.5),), "Stopped", 1),
    Story("half a request", (Mishap(request_bytes=40),), "Stopped", 1),
    Story("no byte of it goes out, reset", (Mishap(request_bytes=0, reset=True),), "Stopped", 1),
    Story("half a request, twice", (Mishap(request_bytes=40),) * 2, "Still running", 0, 0),
    Story("a gateway's 503", (answer("503 Service Unavailable", b"<html>"),), "Stopped", 1),
    Story("a gateway's 502, twice", (answer("502 Bad Gateway"),) * 2, "Still running", 0, 0),
    Story("not HTTP at all", (Mishap(instead=b"SSH-2.0-OpenSSH_9.2\r\n"),), "Stopped", 1),
    Story("a 429 storm that passes", (BUSY,) * 3, "Stopped", 1),
    Story("a 429 storm that stays", (BUSY,) * 30, "Nothing was stopped", 0, 0),
    Story("a 401 hiccup", (HICCUP,), "Stopped", 1),
    Story("401 for good", (HICCUP,) * 30, "Nothing was stopped", 0, 0),
    Story("a 429, then the answer is lost", (BUSY, Mishap(answer_bytes=0)), "Ended", 1),
    Story("the answer is lost, and so are two readings", (Mishap(answer_bytes=0),), "Ended", 1, 1,
          (Mishap(), Mishap(answer_bytes=20), Mishap(answer_bytes=0, reset=True))),
]  # fmt: skip


FIGURES: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def figures() -> Iterator[None]:
    """What was tried, for whoever runs it with ``-s``."""
    yield
    print("\n" + ", ".join(f"{count} {what}" for what, count in FIGURES.items()))


@pytest.fixture
async def proxy(stage: Stage) -> AsyncIterator[Proxy]:
    there = urlsplit(stage.settings().voipbin_api_url)
    assert there.hostname is not None
    assert there.port is not None
    async with proxying(there.hostname, there.port) as proxy:
        yield proxy


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_what_the_network_does_to_a_stop_is_cleared_up(
    story: Story, stage: Stage, voipbin: World, proxy: Proxy, witness: Witness, audit: Audit
) -> None:
    await _told(story, stage, voipbin, proxy, audit)
    witness.assert_each_was_announced()
    witness.assert_none_came_after_the_end()
    assert (proxy.met > 0) == bool(story.mishaps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mishap", "posts", "heading"),
    [(Mishap(answer_lost=True), 1, "Ended"), (Mishap(request_lost=True), 1, "Stopped")],
    ids=["the answer", "the request"],
)
async def test_a_black_hole_swallows_it_until_the_time_out(
    mishap: Mishap, posts: int, heading: str, stage: Stage, voipbin: World, proxy: Proxy, audit: Audit
) -> None:
    """Production's own time-out for the answer to a stop, fifteen seconds."""
    await _told(Story("black hole", (mishap,), heading, posts), stage, voipbin, proxy, audit)


async def _told(story: Story, stage: Stage, voipbin: World, proxy: Proxy, audit: Audit) -> None:
    stage.patience = replace(SHORT, looks=20, follow_for=0.5)
    async with stage.start(voipbin_api_url=f"http://127.0.0.1:{proxy.port}/v1.0"):
        activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
        card = await stage.asks_to_stop(activeflow)
        proxy.on(_STOP, *story.mishaps)
        proxy.on(_GET + str(activeflow.id).encode(), *story.reads)
        delivery = await stage.slack.clicks(ALICE, card, "stop.flow")
        assert delivery.error is None
        words = await last_word(stage, card, seconds=40)
        await stage.slack.until(lambda: not audit.unfinished(), seconds=20)
        words = await last_word(stage, card, seconds=40)  # a call that could not be read at first is cleared up later
    assert words.startswith(story.heading), words
    assert_told_truly(stage, activeflow, words)
    assert len(stop_requests(voipbin, activeflow)) == story.posts
    assert stops_with_effect(voipbin, activeflow) == story.effect
    outcomes = audit.outcomes(activeflow)
    assert outcomes == [{"Stopped": "Ended", "Ended": "Ended", "Still running": "StillRunning"}.get(story.heading, "NotSent")]  # fmt: skip
    assert audit.claims() == 0
    audit.assert_whole()
    FIGURES.update({"presses": 1, "mishaps met": proxy.met, "stops that reached VoIPBIN": story.posts})
