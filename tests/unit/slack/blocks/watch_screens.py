"""Every watch card, and every answer about one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.activeflows.model import Action, Activeflow, Reference, Status
from bot.activeflows.watching.request import AlreadyEnded, AlreadyWatched, UnwatchResult
from bot.activeflows.watching.watch import (
    EndingKind,
    Observation,
    TrailEntry,
    Watch,
    WatchCardContent,
    WatchEnding,
    WatchLimit,
    WatchSource,
)
from bot.slack.cards.watch_card import (
    FOLLOWS_NOTHING,
    NOT_FOLLOWED,
    UNWATCHED,
    already,
    full,
    not_posted,
    over,
    unwatched,
    watch_card,
)
from bot.slack.messaging.messenger import Message

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)


def watch(words: str = "Support line", number: int = 1) -> Watch:
    """One that is posted."""
    began = NOW - timedelta(minutes=4)
    until = NOW + timedelta(hours=20)
    id_ = UUID(int=(0x3C5B0F6D + number) << 96 | number)
    return Watch("b" * 32, id_, None, words, words or "call", began, "C0INCIDENTS", "U0ALICE", NOW, until, "1.2")


def telling(
    words: str = "Support line", ending: WatchEnding | None = None, source: WatchSource = WatchSource.EVENTS
) -> WatchCardContent:
    """With a whole trail and every warning there can be."""
    moments = tuple(TrailEntry(NOW - timedelta(minutes=minutes), words) for minutes in range(6, 1, -1))
    known = Observation(
        (NOW, 23), "queue.waiting", TrailEntry(NOW, words or "x"), 23, NOW, moments, (words or "x",) * 4
    )
    return WatchCardContent(watch(words), known, source, ending=ending)


def watch_screens(words: str) -> Iterator[Message]:
    """All of them; ``words`` stand wherever words of others stand."""
    tellings = [telling(words, source=source) for source in WatchSource]
    tellings.append(WatchCardContent(watch(words), tellings[0].known, WatchSource.READING, silent_since=NOW))
    tellings += [telling(words, WatchEnding(how, NOW, words, "U0BOB")) for how in EndingKind]
    for each in tellings:
        yield watch_card(each, NOW, command="/flows")
    one = Activeflow(UUID(int=1), None, None, Status.ENDED, Reference("call"), Action(UUID(int=2)))
    several = tuple(watch(words, number) for number in range(20))
    yield not_posted("not_in_channel")
    yield NOT_FOLLOWED
    yield FOLLOWS_NOTHING
    yield UNWATCHED
    for link in ("", "https://example.slack.com/archives/C0INCIDENTS/p12"):
        yield already(AlreadyWatched(watch(words)), link)
    yield over(AlreadyEnded(one, words), "/flows")
    yield from (full(WatchLimit(here), "/flows") for here in (True, False))
    for done in (
        UnwatchResult(several),
        UnwatchResult((), several),
        UnwatchResult(several[:1], several[1:]),
        UnwatchResult(()),
    ):
        yield unwatched(done, "/flows")
