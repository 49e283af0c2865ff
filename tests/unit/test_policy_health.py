"""What the doctor says of the policy in force."""

import os
from pathlib import Path

import pytest

from bot.activeflows.health import Finding, HealthState
from bot.policy import PolicyInForce
from bot.policy.active_policy import BLIND, in_force

ONE = '[[grant]]\nto = ["U0ALICE"]\nmay = ["stop"]\n'
BROKEN = '[[grant]]\nto = ["@alice"]\nmay = ["halt"]\n'


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _remove(path: Path) -> None:
    path.unlink()


async def found(path: Path | None, after: str | None = None) -> Finding:
    """With the file as it was, and as it is after it was changed."""
    policy = PolicyInForce(path)
    if path is not None and after is not None:
        _write(path, after)
        for _ in range(2):
            policy.look(policy.read())
    return await in_force(policy)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(ONE, encoding="utf-8")
    return path


async def test_what_is_in_force_is_counted(file: Path) -> None:
    assert await found(file) == Finding("policy", HealthState.OK, "1 grant in force")
    assert await found(file, ONE + ONE) == Finding("policy", HealthState.OK, "2 grants in force")


@pytest.mark.parametrize(("path", "why"), [(True, "grants nothing"), (False, "is not set")])
async def test_where_nobody_may_anything_it_is_broken(path: bool, why: str, file: Path) -> None:
    _write(file, "")
    said = await found(file if path else None)
    what = f"FLOWS_BOT_POLICY {why}: nobody can do anything"
    assert said == Finding("policy", HealthState.BROKEN, what, "Write a policy file.")


async def test_a_broken_file_leaves_the_last_good_one_in_force_and_the_first_mistake_is_said(file: Path) -> None:
    said = await found(file, BROKEN)
    assert said.state is HealthState.WARNING
    assert said.what.startswith("the file is broken, the last good one stays in force (1 grant). rules.toml:2: ")
    assert said.what.endswith(" (and 1 more)")
    assert said.next == "Repair the file: flows-bot policy check lists every mistake."


async def test_one_mistake_is_not_counted(file: Path) -> None:
    said = await found(file, BROKEN.replace("halt", "stop"))
    assert " more)" not in said.what


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux says what is behind an open file")
async def test_a_file_that_was_replaced_outside_is_said_with_what_it_will_cost(file: Path) -> None:
    now = [0.0]
    with file.open("rb") as inside:
        policy = PolicyInForce(Path(f"/proc/{os.getpid()}/fd/{inside.fileno()}"), clock=lambda: now[0])
        _remove(file)
        for _ in range(2):
            policy.look(policy.read())
    old = "the file was replaced outside, and the bot sees only the old one: "
    then = "Mount its folder instead of the file, and restart the bot."
    soon = Finding("policy", HealthState.BROKEN, f"{old}soon nobody can stop any more", then)
    assert await in_force(policy) == soon
    now[0] = BLIND
    assert await in_force(policy) == Finding(
        "policy", HealthState.BROKEN, f"{old}nobody can stop any more", then, disabling=True
    )
