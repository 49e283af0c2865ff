"""Which line of a policy each key and entry stands on, however the file is laid out."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.policy.source_lines import Path, line_of, places

LAID_OUT = '''\
# who may
"title" = """
[[grant]]
to = "nobody"
""" # none of these is a key

[[grant]]           # 1
to = ["U0ALICE",    # [ and ] and # mean nothing here
      "S0#[ONCALL",

      'members']
may = [ "view" ]
limits.in.night = { from = "22:00", to = ["C0", "C1"] }

[[ grant ]]
  to=["U0BOB"]
  [grant.deep]
  may = """x\\"" ]"""
  [[grant.deep.er]]
  last = 1979-05-27 07:32:00
[rules]
confirm_within = "5m"
'''


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("title",), 2),
        (("grant",), 7),
        (("grant", 0), 7),
        (("grant", 0, "to"), 8),
        (("grant", 0, "to", 0), 8),
        (("grant", 0, "to", 1), 9),
        (("grant", 0, "to", 2), 11),
        (("grant", 0, "may", 0), 12),
        (("grant", 0, "limits", "in", "night"), 13),
        (("grant", 0, "limits", "in", "night", "to", 1), 13),
        (("grant", 1), 15),
        (("grant", 1, "to", 0), 16),
        (("grant", 1, "deep", "may"), 18),
        (("grant", 1, "deep", "er", 0, "last"), 20),
        (("rules", "confirm_within"), 22),
        (("rules", "bulk_limit"), 21),
        (("grant", 1, "may"), 15),
        (("nothing", 3), None),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_each_place_has_its_line_and_what_is_missing_that_of_what_should_hold_it(
    where: Path, line: int | None, line_end: str
) -> None:
    text = LAID_OUT.replace("\n", line_end)
    tomllib.loads(text)
    assert line_of(places(text), where) == line


# ---------------------------------------------------------------- any layout

blanks = st.text(" \t", max_size=2)
comments = st.just("") | st.text("ab [](){}#='\",.", max_size=8).map(lambda words: f"#{words}")
breaks = st.lists(st.tuples(blanks, comments).map("".join), max_size=2).map(
    lambda lines: "".join(f"{x}\n" for x in lines)
)
words = st.text("ab[]{}#=,.'\"\\ \n", max_size=8)
names = st.text("ab-_1", min_size=1, max_size=4) | words


def basic(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def over_lines(word: str) -> str:
    return '"""\n' + word.replace("\\", "\\\\").replace('"""', '""\\"') + '\\\n   """'


strings = st.one_of(
    words.map(basic),
    words.map(over_lines),
    st.text('ab[]{}#=,."\\ ', max_size=8).map(lambda word: f"'{word}'"),
    st.text('ab[]{}#=,."\\ \n', max_size=8).map(lambda word: f"'''{word}'''"),
)
scalars = strings | st.sampled_from(["1", "-1.5e3", "true", "1979-05-27 07:32:00", "inf", "0xA"])


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    """A value as TOML may write it: arrays over many lines, with comments, with a comma at the end."""
    kind = draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
    if kind == "scalar":
        return draw(scalars)
    inner = draw(st.lists(values(depth - 1), max_size=3))
    if kind == "table":
        keys = draw(st.lists(names, min_size=len(inner), max_size=len(inner), unique=True))
        return "{" + ",".join(f" {basic(key)} = {value} " for key, value in zip(keys, inner, strict=True)) + "}"
    spaced = [f"{draw(breaks)}{value}{draw(breaks)}" for value in inner]
    comma = draw(st.sampled_from(["", ","])) if spaced else ""
    return "[" + ",".join(spaced) + comma + draw(breaks) + "]"


pairs = st.lists(st.tuples(names, values()), max_size=3, unique_by=lambda pair: pair[0])
files = st.lists(st.tuples(breaks, st.sampled_from(["grant", "rules", "other thing"]), pairs), max_size=4)


@given(files)
@example(
    [("#a\n", "grant", [("to", '[\n#"\n"a",\n"b"\n]'), ("x", '"""\n[[grant]]\n"""')]), ("\n", "grant", [("a", "1")])]
)
def test_every_key_of_any_layout_is_found_on_the_line_it_was_written(
    file: list[tuple[str, str, list[tuple[str, str]]]],
) -> None:
    text = ""
    expected: dict[Path, int] = {}
    numbers: dict[str, int] = {}
    for before, table, lines in file:
        text += before
        number = numbers[table] = numbers.get(table, -1) + 1
        expected[(table, number)] = text.count("\n") + 1
        text += f"[[ {basic(table)} ]]\n"
        for name, value in lines:
            expected[(table, number, name)] = text.count("\n") + 1
            text += f" {basic(name)} = {value} # end\n"
    document = tomllib.loads(text)
    found = places(text)
    assert {where: found.get(where) for where in expected} == expected
    assert set(_everything(document)) == set(found), "a place too many, or one too few"


def _everything(value: object, where: Path = ()) -> Iterator[Path]:
    """Where anything stands in the document that tomllib made of it."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        yield (*where, part)
        yield from _everything(inner, (*where, part))


@given(st.text() | st.text("[]{}\"'=.#\n ab,\\"))
def test_a_text_that_is_no_toml_has_places_or_none_but_never_breaks(text: str) -> None:
    assert all(line >= 1 for line in places(text).values())
