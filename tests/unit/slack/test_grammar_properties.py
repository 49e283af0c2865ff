"""Whatever is typed: a request or a refusal; and what the bot writes itself, it reads back as it was meant."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.activeflows.bulk.bulk_stop import MemberGroup
from bot.activeflows.bulk.request import CardRefusal, NoCard
from bot.activeflows.errors import NotUnderstood
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.listing import Place
from bot.activeflows.queries.resolution import Prefix, Target, read_target, targets_in
from bot.activeflows.situation.actions import WORDS
from bot.slack import ids
from bot.slack.blocks.error_words import explained
from bot.slack.blocks.help import not_understood
from bot.slack.cards.bulk_card import bulk_unasked
from bot.slack.grammar.normalization import cleaned, from_slack, words
from bot.slack.grammar.requests import (
    ME,
    STATUSES,
    TYPES,
    Audit,
    Find,
    Help,
    List,
    Pick,
    Recap,
    Request,
    Show,
    Stop,
    StopAll,
    Unwatch,
    Watch,
    Whoami,
    typed,
)
from bot.slack.grammar.table import COMMANDS, parse
from bot.slack.messaging.messenger import Message, checked
from tests.unit.slack.blocks.screens import every_screen

IDS = st.uuids().filter(lambda id_: id_.int != 0)
PREFIXES = st.text("0123456789abcdef", min_size=4, max_size=31).map(Prefix)
TARGETS: st.SearchStrategy[Target] = IDS | PREFIXES
LINES = st.text(max_size=120).map(cleaned)
DURATIONS = st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds))
FRAGMENTS = st.sampled_from(
    [
        *(command.word for command in COMMANDS),
        *("flow:", "type:call", "older:", "10m", "page:", "now", "all", "me", "since:", '"', "“", "”", "\\", "`", "'"),
        *(
            "3c5b0f6e",
            "3c5b0f6e-1d2a-4222-8333-123456789abc",
            "<@U0ALICE|al>",
            "<",
            ">",
            "&amp;",
            "–",
            "\u200b",
            ":",
            "=",
        ),
    ]
)
TYPED = st.lists(FRAGMENTS | st.text(max_size=8), max_size=12).map(" ".join) | st.lists(FRAGMENTS).map("".join)


def _possible(filters: Filters) -> bool:
    return filters.older is None or filters.newer is None or filters.older <= filters.newer


FILTERS = st.builds(
    Filters,
    flow=st.none() | LINES.filter(bool),
    type=st.none() | st.sampled_from(TYPES),
    action=st.none() | st.sampled_from(sorted(WORDS)),
    status=st.sampled_from(STATUSES),
    older=st.none() | DURATIONS,
    newer=st.none() | DURATIONS,
).filter(_possible)
PLACES = st.builds(
    Place,
    st.sampled_from(["from", "after", "before"]),
    st.none()
    | st.integers(0, 10**16).map(lambda tick: datetime.fromtimestamp(0, UTC) + tick * timedelta(microseconds=1)),
    st.uuids(),
)
LISTS = st.builds(List, FILTERS, st.integers(1, 9999), st.sampled_from([None, "flow", "action"]))
BEGINNINGS = st.sampled_from(["", "", "now ", "now", "NOW it ", '"', "“", "'", "`", "\\", '"a" and '])
REASONS = st.builds("{}{}".format, BEGINNINGS, LINES).map(cleaned).filter(lambda reason: "<@" not in reason)
MANY = st.builds(StopAll, FILTERS.filter(lambda f: f.status == "running" and bool(f.words())), REASONS)
USERS = st.none() | st.just(ME) | st.from_regex(r"[UW][A-Z0-9]{4,12}", fullmatch=True)
REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.builds(Help, st.sampled_from(["", *(command.word for command in COMMANDS)])),
    st.just(Whoami()),
    LISTS,
    st.builds(Show, TARGETS),
    st.builds(Find, LINES.filter(bool)),
    st.builds(Stop, TARGETS, st.booleans(), REASONS),
    MANY,
    st.builds(Watch, TARGETS),
    st.builds(Pick, st.sampled_from(["show", "stop", "watch"])),
    st.builds(Unwatch, st.none() | TARGETS),
    st.builds(Recap, DURATIONS),
    st.builds(Audit, st.none() | TARGETS, USERS, st.none() | DURATIONS),
)


def _outcome(line: str) -> Request | NotUnderstood:
    try:
        return parse(line)
    except NotUnderstood as refused:
        return refused


@given(TYPED)
def test_any_line_is_a_request_or_a_refusal_whose_suggestion_is_understood(line: str) -> None:
    for text in (line, from_slack(line)):
        outcome = _outcome(text)
        if not isinstance(outcome, NotUnderstood):
            assert parse(typed(outcome)) == outcome
        elif outcome.suggestion:
            assert typed(parse(outcome.suggestion)) == outcome.suggestion
        else:
            assert outcome.problem


@given(REQUESTS)
@example(Stop(UUID("3c5b0f6e-1f2d-4a54-9c2b-0a1b2c3d4e5f"), False, "0`"))
def test_what_is_written_as_one_would_type_it_is_read_back_as_it_was_meant(request: Request) -> None:
    assert parse(typed(request)) == request


@given(LISTS, st.none() | PLACES)
def test_a_button_carries_its_list_and_where_its_page_begins(listing: List, place: Place | None) -> None:
    turned = replace(listing, place=place)
    assert ids.decode_listing(ids.encode_listing(turned)) == turned


@given(st.uuids())
def test_a_button_carries_its_activeflow(activeflow_id: UUID) -> None:
    assert ids.decode_activeflow(ids.encode_activeflow(activeflow_id)) == activeflow_id


@given(st.text(max_size=60).map("~".__add__))
def test_a_value_of_an_unknown_button_is_refused_in_words(value: str) -> None:
    for decode in (ids.decode_listing, ids.decode_activeflow):
        with pytest.raises(NotUnderstood, match="older version"):
            decode(value)


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_an_ascii_line_is_cleaned_as_it_is_beside_something_invisible(text: str) -> None:
    assert cleaned(text) == cleaned(f"{text}\u200b")


@given(TYPED.map(cleaned))
def test_every_word_stands_in_the_line_where_it_says(line: str) -> None:
    for word in words(line):
        assert line[: word.end].endswith(word.written)
        assert len(word.text) == len(word.written)


@given(IDS)
def test_every_spelling_of_an_id_is_that_id(id_: UUID) -> None:
    for spelling in (str(id_), str(id_).upper(), id_.hex, f"{{{id_}}}", id_.urn, id_.urn.upper()):
        assert read_target(spelling) == id_
    assert [found.target for found in targets_in(f"see {id_} or {id_.hex[:8]}")] == [id_]


@given(IDS, st.integers(4, 31))
def test_a_beginning_fits_its_id_and_is_the_beginning_of_what_is_written(id_: UUID, digits: int) -> None:
    prefix = Prefix(id_.hex[:digits])
    assert prefix.fits(id_)
    assert str(id_).startswith(prefix.dashed)
    assert read_target(prefix.dashed) == read_target(str(prefix)) == prefix


@given(st.text(max_size=60))
def test_reading_a_target_never_fails(text: str) -> None:
    target = read_target(text)
    assert target is None or read_target(str(target)) == target
    for found in targets_in(text):
        assert read_target(str(found.target)) == found.target


def _suggested(message: Message) -> Iterator[str]:
    """The lines in code that begin with the command, as a reader would copy them; without those that hold a
    placeholder.
    """
    text, blocks = checked(message.text, message.blocks)
    for place in (text, *_words(blocks)):
        for line in re.findall(r"`/flows ([^`]*)`", place):
            copied = line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            if not _PLACEHOLDER.search(copied):
                yield copied


_PLACEHOLDER = re.compile(r"<[a-z ,]+>|\[.*\]")


def _words(thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing
    for part in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ():
        yield from _words(part)


@given(TYPED)
def test_what_is_suggested_for_a_line_can_be_typed_as_it_is_shown(line: str) -> None:
    outcome = _outcome(line)
    if isinstance(outcome, NotUnderstood):
        for message in (not_understood(outcome, command="/flows"), explained(outcome, command="/flows")):
            for suggested in _suggested(message):
                parse(suggested)


@given(LINES, FILTERS)
def test_what_is_suggested_instead_of_a_bulk_stop_can_be_typed_and_is_narrower(words_: str, filters: Filters) -> None:
    groups = (MemberGroup(words_, words_, 9),)
    for why in NoCard:
        for suggested in _suggested(bulk_unasked(CardRefusal(why, filters, 9, 5, groups), command="/flows")):
            asked = parse(suggested)
            if why is NoCard.TOO_MANY:
                assert isinstance(asked, StopAll)
                assert asked.filters != filters


def test_every_line_on_every_screen_can_be_typed() -> None:
    suggested = {line for message in every_screen() for line in _suggested(message)}
    assert len(suggested) > 20
    for line in sorted(suggested):
        parse(line)


@given(IDS)
def test_an_id_as_it_is_shown_everywhere_can_be_typed(id_: UUID) -> None:
    for word in ("show", "stop", "watch", "unwatch", "audit"):
        parse(f"{word} {id_.hex[:8]}")


@given(LISTS, st.none() | PLACES)
def test_what_a_button_carries_is_not_changed_by_the_way_slack_writes_texts(listing: List, place: Place | None) -> None:
    value = ids.encode_listing(replace(listing, place=place))
    assert value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") == value
    assert len(value) <= 2000
    older = typed(listing)  # as buttons of older versions carry it
    assert ids.decode_listing(older.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")) == listing
