"""Words from outside, made harmless."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.kit import bold, code, date_token, escaped, mention, plain, shortened, with_date_tokens

HOSTILE = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                "<!channel>",
                "<@U0ALICE>",
                "<http://evil|Stop>",
                "&amp;",
                "&",
                "*",
                "_",
                "`",
                "~",
                "\n",
                "\u202e",
                "\u200b",
                "x",
            ]
        )
    ).map("".join),
)
ENTITIES = re.compile(r"&(amp|lt|gt);")


@given(HOSTILE, st.integers(2, 40))
def test_nothing_that_means_something_to_slack_comes_out(text: str, limit: int) -> None:
    for words in (escaped(text, limit), code(text, limit)[1:-1], bold(text, limit)[1:-1]):
        assert not set("<>") & set(words)
        assert "&" not in ENTITIES.sub("", words)
        assert "`" not in words
        assert "\n" not in words
        assert 0 < len(words) <= limit
    assert not set("*~") & set(escaped(text))


@given(HOSTILE)
def test_no_low_line_can_open_or_close_italics(text: str) -> None:
    framed = f" {escaped(text)} "
    for lows in re.finditer("_+", framed):
        assert framed[lows.start() - 1].isalnum()
        assert framed[lows.end()].isalnum()


@given(HOSTILE, st.integers(2, 40))
def test_plain_words_are_one_short_visible_line(text: str, limit: int) -> None:
    words = plain(text, limit)
    assert 0 < len(words) <= limit
    assert words.isprintable()
    assert words == words.strip()


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30))
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert escaped(name) == plain(name) == name


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("queue_join", "queue_join"),
        ("Support & Sales", "Support &amp; Sales"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("*bold*", "∗bold∗"),
        ("_italic_", "＿italic＿"),
        ("a\nb\tc", "a b c"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "—"),
        ("\u200b", "—"),
    ],
)
def test_names_are_shown_and_not_obeyed(given: str, shown: str) -> None:
    assert escaped(given) == shown


def test_an_entity_is_never_cut() -> None:
    assert escaped("&&&&", 11) == "&amp;&amp;…"
    assert escaped("&&&&", 10) == "&amp;…"
    assert escaped("abcdef", 4) == "abc…"


@given(
    st.lists(st.sampled_from(["word ", "&amp;", "<@U0ALICE>", "<!date^1^{time}|12:00>"])).map("".join),
    st.integers(2, 60),
)
def test_finished_text_is_never_cut_inside_a_token(text: str, limit: int) -> None:
    cut = shortened(text, limit)
    assert len(cut) <= limit
    assert "&" not in ENTITIES.sub("", cut)
    assert cut.count("<") == cut.count(">")
    assert text.startswith(cut.removesuffix("…"))


@pytest.mark.parametrize(
    ("slack_id", "shown"),
    [
        ("U0ALICE", "<@U0ALICE>"),
        ("W0GRID", "<@W0GRID>"),
        ("S0ONCALL", "<!subteam^S0ONCALL>"),
        ("C0INC", "<#C0INC>"),
        ("!channel", "!channel"),
        ("U0ALICE>", "U0ALICE&gt;"),
        ("members", "members"),
    ],
)
def test_only_ids_become_mentions(slack_id: str, shown: str) -> None:
    assert mention(slack_id) == shown


def test_a_time_is_shown_with_its_day_in_the_reader_s_zone_or_in_utc() -> None:
    when = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)
    assert date_token(when) == "<!date^1795348990^{time_secs} {date_short_pretty}|2026-11-22 12:03:10 UTC>"


def test_a_name_draws_no_emoji() -> None:
    assert ":rotating_light:" not in escaped("menu :rotating_light: two")
    assert escaped("at 12:30") == "at 12:30"


@pytest.mark.parametrize("said", ["2026-11-22 12:03:10 UTC", "2026-11-22 12:03 UTC"])
def test_an_instant_in_words_is_written_as_the_reader_writes_it(said: str) -> None:
    told = with_date_tokens(escaped(f"live since {said}, *all* well"))
    when = datetime.fromisoformat(f"{said.removesuffix(' UTC')}+00:00")
    assert told == f"live since {date_token(when)}, {escaped('*all*')} well"


@pytest.mark.parametrize("said", ["2026-99-22 12:03 UTC", "12:03:10 UTC", "2026-11-22 12:03"])
def test_what_is_no_whole_instant_stays_as_it_is(said: str) -> None:
    assert with_date_tokens(escaped(said)) == escaped(said)
