"""The rule book as it is read: good ones, and one clear line for each mistake."""

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.activeflows.operators import Grant, Permission, Policy, Rules
from bot.misconfigured import Misconfigured
from bot.policy import parsed_policy, read_policy

GOOD = """
[[grant]]
to = ["U0ALICE", "S0ONCALL", "members"]
may = ["view", "stop"]
in = ["C0INCIDENTS"]
flows = ["93993ae1-2b55-4a3e-8c6d-0f1f6a5a7c11"]

[[grant]]
to = ["W0CAROL"]
may = ["audit"]

[rules]
reason_required = true
two_person = ["stop", "bulk"]
bulk_limit = 7
confirm_within = "90s"
"""


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as wrong:
        parsed_policy(text)
    return wrong.value.mistakes


def grant(**lines: str) -> str:
    fields = {"to": '["U0ALICE"]', "may": '["view"]', **lines}
    return "[[grant]]\n" + "\n".join(f"{name} = {value}" for name, value in fields.items())


def test_everything_a_policy_can_say_is_understood() -> None:
    assert parsed_policy(GOOD) == Policy(
        grants=(
            Grant(
                1,
                frozenset({"U0ALICE", "S0ONCALL", "members"}),
                frozenset({Permission.VIEW, Permission.STOP}),
                channels=frozenset({"C0INCIDENTS"}),
                flows=frozenset({UUID("93993ae1-2b55-4a3e-8c6d-0f1f6a5a7c11")}),
                groups=frozenset({"S0ONCALL"}),
            ),
            Grant(2, frozenset({"W0CAROL"}), frozenset({Permission.AUDIT})),
        ),
        rules=Rules(
            reason_required=True,
            two_person=frozenset({"stop", "bulk"}),
            bulk_limit=7,
            confirm_within=timedelta(seconds=90),
        ),
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "[rules]\n", "\ufeff# saved by an editor that marks its files"]
)
def test_what_is_left_out_is_denied_and_ruled_as_by_default(text: str) -> None:
    assert parsed_policy(text) == Policy()
    assert Policy().grants == ()


def test_no_limits_and_empty_limits_are_opposites() -> None:
    assert parsed_policy(grant()).grants[0].channels is None
    assert parsed_policy(grant(**{"in": "[]"})).grants[0].channels == frozenset()
    assert parsed_policy(grant(flows="[]")).grants[0].flows == frozenset()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            grant(to='["U0ALICE", "@alice"]'),
            '2: grant 1, to, entry 2 must be an id: a user (U…), a user group (S…) or "members"; names can be faked.',
        ),
        (
            grant(to='["on-call team"]'),
            '2: grant 1, to, entry 1 must be an id: a user (U…), a user group (S…) or "members"; names can be faked.',
        ),
        (
            grant(to='["Members"]'),
            '2: grant 1, to, entry 1 must be an id: a user (U…), a user group (S…) or "members"; names can be faked.',
        ),
        (
            grant() + "\n" + grant(**{"in": '["#incidents"]'}),
            "7: grant 2, in, entry 1 must be a channel id (C…): copy it from the channel's details.",
        ),
        (grant(to="[]"), "2: grant 1, to must not be empty."),
        (grant(to='"U0ALICE"'), "2: grant 1, to must be a list, in square brackets."),
        (
            grant(may='["veiw"]'),
            "3: grant 1, may, entry 1 must be one of 'view', 'stop', 'bulk', 'approve', 'reveal' or 'audit'.",
        ),
        ('[[grant]]\nto = ["U0ALICE"]', "1: grant 1, may is missing."),
        (grant(channels='["C0INC"]'), "4: grant 1, channels is nothing that a policy can say."),
        ("[[grants]]\n", "1: grants is nothing that a policy can say."),
        ("[rules]\nbulk_limits = 3", "2: rules, bulk_limits is nothing that a policy can say."),
        ('[rules]\ntwo_person = ["view"]', "2: rules, two_person, entry 1 must be one of 'stop' or 'bulk'."),
        ("[rules]\nbulk_limit = 0", "2: rules, bulk_limit must be at least 1."),
        ("[rules]\nbulk_limit = true", "2: rules, bulk_limit must be a whole number."),
        ('[rules]\nreason_required = "no"', "2: rules, reason_required must be true or false."),
        ("[rules]\nreason_required = 0", "2: rules, reason_required must be true or false."),
        (
            "[rules]\nconfirm_within = 300",
            '2: rules, confirm_within must be a duration from "1s" to "1h", like "5m".',
        ),
        (
            '[rules]\nconfirm_within = "2h"',
            '2: rules, confirm_within must be a duration from "1s" to "1h", like "5m".',
        ),
        ("rules = 3", "1: rules must be a table."),
        ("[grant]\n", "1: grant must be a list, in square brackets."),
        ("grant = [3]", "1: grant 1 must be a table."),
        ("[[grant]\n", "1: is not TOML: Expected ']]' at the end of an array declaration (at line 1, column 8)."),
        ("n = " + "1" * 5000, " is not TOML that can be read."),
        ("n = " + "[" * 3000, " is not TOML that can be read."),
    ],
)
def test_each_mistake_is_one_clear_line_with_its_place(text: str, line: str) -> None:
    assert mistakes(text) == (f"policy.toml:{line}",)


def test_a_flow_is_named_by_its_id() -> None:
    (line,) = mistakes(grant(flows='["Support line"]'))
    assert line == "policy.toml:4: grant 1, flows, entry 1 must be the id of a flow (a UUID)."


def test_all_mistakes_are_said_at_once() -> None:
    text = grant(to='["@alice"]', may='["fly"]') + '\n[rules]\nbulk_limit = "many"'
    assert [line.split(" must ")[0].split(": ")[1] for line in mistakes(text)] == [
        "grant 1, to, entry 1",
        "grant 1, may, entry 1",
        "rules, bulk_limit",
    ]


def test_a_key_that_nobody_knows_stays_on_its_line_and_is_cut() -> None:
    (line,) = mistakes(f"{json.dumps('a' * 500)} = 1")
    assert len(line) < 120
    (line,) = mistakes('"a\\nb" = 1')
    assert "\n" not in line


def test_no_file_means_nobody_and_a_file_that_cannot_be_read_is_said_by_its_name_alone(tmp_path: Path) -> None:
    assert read_policy(None) == Policy()
    folder = tmp_path / "policy.d"
    folder.mkdir()
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for path, why in [
        (folder, "IsADirectoryError"),
        (tmp_path / "no.toml", "FileNotFoundError"),
        (tmp_path / "binary.toml", "UnicodeDecodeError"),
    ]:
        with pytest.raises(Misconfigured) as wrong:
            read_policy(path)
        assert wrong.value.mistakes == (f"{path.name}: cannot be read ({why}).",)


def test_a_file_is_read_with_its_own_name_in_front_of_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "rules-of-the-house.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert len(read_policy(path).grants) == 2
    path.write_text("[rule]", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"^rules-of-the-house\.toml:1: rule is nothing that"):
        read_policy(path)


# ---------------------------------------------------------------- whatever stands in the file

scalars = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["U0A", "S0B", "members", "view", "stop", "C0INC", "5m", "93993ae1-2b55-4a3e-8c6d-0f1f6a5a7c11"]),
    st.sampled_from(["stuck", "22:00-07:00", "Europe/Berlin", "Europe", "/etc/hosts", "../x", "\x00", "a" * 300]),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
words = ("to", "may", "in", "flows", "reason_required", "two_person", "bulk_limit", "confirm_within")
words_of_alerts = ("to", "about", "flows", "quiet", "zone", "at_most", "within")
tables = st.dictionaries(st.sampled_from(words) | st.text(max_size=6), values, max_size=5)
alerts = st.dictionaries(st.sampled_from(words_of_alerts) | st.text(max_size=6), values, max_size=5)
files = st.fixed_dictionaries(
    {},
    optional={
        "grant": values | st.lists(tables, max_size=3),
        "alert": values | st.lists(alerts, max_size=3),
        "rules": values | tables,
    },
)


def toml(value: object) -> str:
    """The value as TOML writes it inline."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(toml(inner) for inner in value) + "]"
        case _:
            return str(value)


@given(files.map(lambda file: "\n".join(f"{key} = {toml(value)}" for key, value in file.items())) | st.text())
@example("grant = [[[]]]")
@example('"" = 1')
def test_whatever_stands_in_the_file_it_is_a_policy_or_a_list_of_one_line_mistakes(text: str) -> None:
    for line in told(text):
        assert re.match(r"policy\.toml:(\d+:)? ", line)
        assert line.endswith(".")
        assert line.isprintable()
        assert len(line) < 300


def told(text: str) -> tuple[str, ...]:
    """What is wrong with it. If nothing is, it is a policy whose grants each give something to somebody."""
    try:
        policy = parsed_policy(text)
    except Misconfigured as wrong:
        return wrong.mistakes or ("",)
    assert [one.number for one in policy.grants] == list(range(1, len(policy.grants) + 1))
    assert all(one.to and one.may for one in policy.grants)
    assert all(one.to.startswith("C") and one.about for one in policy.alerts)
    assert len({one.key for one in policy.alerts}) == len(policy.alerts)
    return ()
