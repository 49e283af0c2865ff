"""What people type, and what it means to the bot; what it does not understand, and what it suggests instead."""

from datetime import timedelta
from uuid import UUID

import pytest

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.numbers import Number, numbers_in
from bot.activeflows.operators import Permission
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.resolution import Prefix
from bot.slack.grammar.normalization import from_slack
from bot.slack.grammar.requests import (
    Audit,
    Doctor,
    Find,
    Help,
    List,
    Pick,
    Recap,
    Request,
    Show,
    Stop,
    Unwatch,
    Watch,
    Whoami,
)
from bot.slack.grammar.table import COMMANDS, LONGEST_REASON, parse

ID = UUID("3c5b0f6e-1d2a-4222-8333-123456789abc")
SHORT = Prefix("3c5b0f6e")


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", Help()),
        ("   ", Help()),
        ("help", Help()),
        ("HELP list", Help("list")),
        ("help kill", Help("stop")),
        ("help stop all", Help("stop all")),
        ("help what", Help()),
        ("show", Pick("show")),
        ("STOP ", Pick("stop")),
        ("`watch`", Pick("watch")),
        ("whoami", Whoami()),
        ("doctor", Doctor()),
        ("watch 3c5b0f6e", Watch(SHORT)),
        ("unwatch `3c5b0f6e`", Unwatch(SHORT)),
        ("unwatch", Unwatch()),
        ("list", List()),
        ("find 0171 / 234 5678", Find("0171 / 234 5678")),
        ("FIND “Support line”", Find("“Support line”")),
        ("List Type:CALL", List(Filters(type="call"))),
        ("`list` type:none", List(Filters(type="none"))),
        ("l\u200bist type:\u2060call", List(Filters(type="call"))),
        ("list status:any page:3", List(Filters(status="any"), 3)),
        ("list older:10m newer:2h", List(Filters(older=timedelta(minutes=10), newer=timedelta(hours=2)))),
        ("list action:queue_join", List(Filters(action="queue_join"))),
        ('list action:"Playing audio"', List(Filters(action="playing audio"))),
        ('list action:"put through to an agent"', List(Filters(action="put through to an agent"))),
        ("list is:waiting sort:oldest page:2", List(Filters(state="waiting"), 2, sort="oldest")),
        ("list IS:with-ai older:10m", List(Filters(state="with-ai", older=timedelta(minutes=10)))),
        ('list flow:"Support line"', List(Filters(flow="Support line"))),
        ("list flow:“Support line”", List(Filters(flow="Support line"))),
        ("list flow:'Support line'", List(Filters(flow="Support line"))),
        ('list flow:"the \\"best\\" one"', List(Filters(flow='the "best" one'))),
        ("list flow:Café–Nord", List(Filters(flow="Café–Nord"))),
        ("list flow:3c5b0f6e", List(Filters(flow="3c5b0f6e"))),
        ("audit", Audit()),
        ("recap", Recap()),
        ("recap since:90m", Recap(timedelta(minutes=90))),
        ("audit 3c5b0f6e <@U0ALICE|alice> since:2h", Audit(SHORT, "U0ALICE", timedelta(hours=2))),
        ("audit me", Audit(user="me")),
        ("audit all", Audit(every=True)),
        ("audit me all since:2h", Audit(None, "me", timedelta(hours=2), every=True)),
        ("audit U0ALICE", Audit(user="U0ALICE")),
    ],
)
def test_it_understands(text: str, request_: Request) -> None:
    assert parse(text) == request_


@pytest.mark.parametrize(
    "written",
    [
        str(ID),
        str(ID).upper(),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        f"URN:UUID:{str(ID).upper()}",
        ID.hex,
        f"`{ID}`",
        f"“{ID}”",
        f"<{ID}>",
        f"({ID}),",
        str(ID).replace("-", "–"),
        f"\u200b{ID}\ufeff",
        f"\u00a0{ID}\u00a0",
        f"https://admin.example.com/activeflows/{ID}?tab=1",
        f"activeflow:{ID}",
        f"Support line · {ID} · running",
    ],
)
def test_an_id_is_read_however_it_is_written(written: str) -> None:
    assert parse(f"show {written}") == Show(ID)
    assert parse(f"stop {written}") in {Stop(ID), Stop(ID, reason="· running")}


@pytest.mark.parametrize(
    "linked", ["<tel:+491712345678|0171 2345678>", "<tel:+491712345678|the caller>", "<tel:+491712345678>"]
)
def test_a_number_that_slack_made_a_link_of_is_still_that_number(linked: str) -> None:
    request = parse(from_slack(f"find {linked}"))
    assert isinstance(request, Find)
    assert [number.same(Number("491712345678", international=True)) for number in numbers_in(request.text)] == [True]


def test_a_link_that_slack_made_of_a_pasted_address_still_names_its_activeflow() -> None:
    pasted = f"show <https://admin.example.com/activeflows/{ID}|the stuck one>"
    assert parse(from_slack(pasted)) == Show(ID)


def test_slacks_escapes_are_undone_once() -> None:
    assert parse(from_slack('list flow:"Q&amp;A &lt;new&gt;"')) == List(Filters(flow="Q&A <new>"))
    assert from_slack("&amp;lt;") == "&lt;"
    assert from_slack("<#C0INCIDENTS|incidents> <http://a.example|a.example> <!here>") == "incidents a.example !here"


@pytest.mark.parametrize("written", ["3c5b", "3C5B", "3c5b0f6e", "3c5b0f6e-1d2a", "3c5b0f6e-"])
def test_a_beginning_of_an_id_has_at_least_four_digits(written: str) -> None:
    assert parse(f"show {written}") == Show(Prefix(written.lower().replace("-", "")))


@pytest.mark.parametrize("written", ["3c5", "xyz", "2026-11-22", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_id_is_not_taken_for_one(written: str) -> None:
    with pytest.raises(NotUnderstood, match="is not an activeflow or call id"):
        parse(f"show {written}")


@pytest.mark.parametrize("word", ["", "show ", "stop ", "watch "])
@pytest.mark.parametrize("number", ["+15550100001", "0171 2345678", "+49 171 2345678", "(0171) 234-5678"])
def test_a_phone_number_is_looked_for_and_nothing_else(word: str, number: str) -> None:
    assert parse(f"{word}{number}") == Find(number)


@pytest.mark.parametrize("written", ["12345678", "1234", "123456789012"])
def test_digits_that_can_be_an_id_are_one(written: str) -> None:
    assert parse(f"stop {written} it loops") == Stop(Prefix(written), reason="it loops")


def test_a_text_that_names_two_activeflows_is_refused_when_showing() -> None:
    with pytest.raises(NotUnderstood, match="several"):
        parse(f"show {ID} and deadbeef")
    with pytest.raises(NotUnderstood, match="several"):
        parse("show the one like 3c5b0f6e or deadbeef")
    assert parse(f"show 3c5b0f6e, that is {ID}") == Show(ID)


# ---------------------------------------------------------------- stop


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("stop 3c5b0f6e", Stop(SHORT)),
        ("stop 3c5b0f6e caller is stuck", Stop(SHORT, reason="caller is stuck")),
        ("stop 3c5b0f6e he’s – “really” stuck", Stop(SHORT, reason="he’s – “really” stuck")),
        ("stop `3c5b0f6e` stuck", Stop(SHORT, reason="stuck")),
        ("stop 3c5b0f6e now", Stop(SHORT, now=True)),
        ("stop 3c5b0f6e NOW it loops", Stop(SHORT, now=True, reason="it loops")),
        ('stop 3c5b0f6e "now it loops"', Stop(SHORT, reason="now it loops")),
        ("stop 3c5b0f6e nowhere to go", Stop(SHORT, reason="nowhere to go")),
        ("stop 3c5b0f6e copy of deadbeef", Stop(SHORT, reason="copy of deadbeef")),
        ("stop 3c5b0f6e ask <@U0BOB|bob>", Stop(SHORT, reason="ask @bob")),
        (f"stop Support line {ID} it loops", Stop(ID, reason="it loops")),
    ],
)
def test_the_first_word_of_a_stop_is_the_activeflow_and_the_rest_is_the_reason(text: str, request_: Request) -> None:
    assert parse(text) == request_


def test_a_reason_that_is_too_long_is_refused_with_a_shorter_one() -> None:
    with pytest.raises(NotUnderstood, match="at most") as refused:
        parse(f"stop 3c5b0f6e {'x' * 501}")
    shorter = parse(refused.value.suggestion)
    assert isinstance(shorter, Stop)
    assert len(shorter.reason) == LONGEST_REASON


# ---------------------------------------------------------------- suggestions


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("lst", "list"),
        ("lst typ:cal", "list type:call"),
        ("kill 3c5b0f6e it loops", "stop 3c5b0f6e it loops"),
        ("3c5b0f6e", "show 3c5b0f6e"),
        (f"Support line · {ID}", f"show {ID}"),
        ("type:call", "list type:call"),
        ("list 3c5b0f6e", "show 3c5b0f6e"),
        ("list flow:Support line", 'list flow:"Support line"'),
        ("list Support line", 'list flow:"Support line"'),
        ("list calls ended", "list type:call status:ended"),
        ("list queue_join", "list action:queue_join"),
        ("list 10m", "list older:10m"),
        ("list older:10", "list older:10m"),
        ("list older: 10m", "list older:10m"),
        ("list older=10m", "list older:10m"),
        ("list older:2h newer:10m", "list older:10m newer:2h"),
        ("list status:all", "list status:any"),
        ("list type:call type:api", "list type:api"),
        ("list type:call action:queu page:2", "list type:call action:queue_join page:2"),
        ("list page:x", "list"),
        ("list waiting", "list is:waiting"),
        ("list stuck", "list is:stuck"),
        ("list is:talking older:10m", "list is:with-agent older:10m"),
        ("list is:stuk", "list is:stuck"),
        ("list newest", "list sort:newest"),
        ("list sort:age", "list sort:oldest"),
        ("list sort:newest sort:oldest", "list sort:oldest"),
        ("list by flow sort:oldest", "list by flow"),
        ("list action:playing", 'list action:"playing audio"'),
        ("search Support line", "find Support line"),
        ("find", "list"),
        ("follow 3c5b0f6e", "watch 3c5b0f6e"),
        ("unfollow", "unwatch"),
        ("watch 3c5b0f6e it loops", "watch 3c5b0f6e"),
        ("follow 3c5b0f6e it loops", "watch 3c5b0f6e"),
        (f"watch https://admin.example.com/activeflows/{ID} now", f"watch {ID}"),
        ("unwatch 3c5b0f6e and all others", "unwatch 3c5b0f6e"),
        ("list by xyz", "list by flow"),
        ("list by", "list by flow"),
        ("list by acton type:call", "list by action type:call"),
        ("follow", "watch"),
        ("kill", "stop"),
        ("audit 2h", "audit since:2h"),
        ("audit me @alice", "audit me"),
        ("qqqqqq", "help"),
    ],
)
def test_what_it_does_not_understand_gets_a_suggestion(text: str, suggestion: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        parse(text)
    assert refused.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("watch 3c5b0f6e it loops", "watch takes only an id. Leave out “it loops”"),
        ("unwatch 3c5b0f6e now", "unwatch takes only an id. Leave out “now”"),
        ("list by xyz", "a list can be grouped by flow or by action"),
    ],
)
def test_what_follows_and_is_not_understood_is_refused_in_words(text: str, problem: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        parse(text)
    assert refused.value.problem == problem


def test_a_pasted_text_may_be_watched_as_it_may_be_shown() -> None:
    assert parse(f"watch Support line · {ID} · running") == Watch(ID)


def test_help_has_a_line_for_everything_that_can_be_typed() -> None:
    assert [line.word for line in COMMANDS] == [
        "list", "show", "find", "stop", "stop all", "watch", "unwatch", "audit", "recap", "whoami", "doctor", "help",
    ]  # fmt: skip
    assert [line.needs for line in COMMANDS][:3] == [Permission.VIEW, Permission.VIEW, Permission.VIEW]


@pytest.mark.parametrize(
    ("typed_", "seen"),
    [
        ('list flow:":fire: Hotline"', 'list flow:"🔥 Hotline"'),
        (":phone: Line", "☎️ Line"),
        (":rotating_light:", "🚨"),
        (":+1::skin-tone-4: off", "👍🏽 off"),
        (":flag-de: :de:", "🇩🇪 🇩🇪"),
        ("at 10:30:15, :no_such_code:", "at 10:30:15, :no_such_code:"),
        ("type:call status:any", "type:call status:any"),
    ],
)
def test_emoji_are_read_as_the_person_sees_them(typed_: str, seen: str) -> None:
    assert from_slack(typed_) == seen
