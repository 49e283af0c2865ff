"""`stop all`: filters first, at least one, then the reason; and no filter is ever read past."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.queries.filters import Filters
from bot.slack.grammar.requests import StopAll
from bot.slack.grammar.table import LONGEST_REASON, parse

_FILTERS = st.sampled_from(
    ["type:call", 'flow:"Support line"', "older:10m", "newer:2h", "action:queue_join", "is:waiting"]
)
_WORDS = st.sampled_from(["loops", "after", "deploy", "42", "it's", "now", "all", "call", "10m"])


@pytest.mark.parametrize(
    ("line", "filters", "reason"),
    [
        ("type:call", Filters(type="call"), ""),
        ("flow:Support loops after deploy 42", Filters(flow="Support"), "loops after deploy 42"),
        ("flow:“Support line” older:10m bad deploy", Filters(flow="Support line", older=timedelta(minutes=10)), "bad deploy"),
        ('type:call "older:10m is only a reason"', Filters(type="call"), "older:10m is only a reason"),
        ("type:call they said: it loops", Filters(type="call"), "they said: it loops"),
        ("TYPE:call <@U0BOB|bob> asked", Filters(type="call"), "@bob asked"),
    ],
)  # fmt: skip
def test_the_reason_begins_after_the_filters(line: str, filters: Filters, reason: str) -> None:
    assert parse(f"stop all {line}") == StopAll(filters, reason)


@pytest.mark.parametrize(
    ("line", "problem", "suggestion"),
    [
        ("", "at least one", "list"),
        ("status:running", "at least one", "list"),
        ("call", "not a filter", "stop all type:call"),
        ("type:calls bad deploy", "unknown type", "stop all type:call bad deploy"),
        ("flwo:Support bad deploy", "unknown filter", "stop all flow:Support bad deploy"),
        ("older: 10m bad deploy", "needs", "stop all older:10m bad deploy"),
        ("type:call status:ended", "only running", "stop all type:call"),
        ("is:waiting sort:oldest no agents", "Leave out sort", "stop all is:waiting no agents"),
        ("is:queued no agents", "unknown is", "stop all is:waiting no agents"),
        ("is:waiting status:ended", "only running", "stop all is:waiting"),
        ("type:call page:2", "every page", "stop all type:call"),
        ("type:call loops older:10m", "before the reason", "stop all type:call older:10m loops"),
        ("type:call type:ai", "given twice", "stop all type:ai"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(line: str, problem: str, suggestion: str) -> None:
    with pytest.raises(NotUnderstood, match=problem) as refused:
        parse(f"stop all {line}")
    assert refused.value.suggestion == suggestion


def test_a_reason_that_is_too_long_is_refused_with_a_shorter_one() -> None:
    with pytest.raises(NotUnderstood, match="at most") as refused:
        parse(f"stop all type:call {'x' * 501}")
    shorter = parse(refused.value.suggestion)
    assert isinstance(shorter, StopAll)
    assert len(shorter.reason) == LONGEST_REASON


@given(st.lists(_FILTERS, unique_by=lambda word: word.split(":")[0]), st.lists(_WORDS), _FILTERS, st.lists(_WORDS))
def test_a_filter_narrows_or_the_line_is_refused(
    filters: list[str], reason: list[str], misplaced: str, more: list[str]
) -> None:
    """Wherever a filter stands in the line: it is never taken for a word of the reason."""
    line = " ".join(["stop all", *filters, *reason, misplaced, *more])
    try:
        request = parse(line)
    except NotUnderstood:
        return
    assert isinstance(request, StopAll)
    assert misplaced in f"{request.filters.words()} ".replace(" ", " ")
    assert not reason


@pytest.mark.parametrize("line", ['"stop all', '"stop all"', '"stop all" type:call', "'stop all'"])
def test_both_words_in_quotes_are_no_command(line: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(line)
