"""The policy file while the bot runs: good changes are taken over, nothing else changes anything."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.operators import Decision, Permission, Person, Policy, Standing, decide
from bot.misconfigured import Misconfigured
from bot.policy import PolicyInForce
from bot.policy.active_policy import BLIND, LARGEST, Version, source_of

ALICE = b'[[grant]]\nto = ["U0ALICE"]\nmay = ["stop"]\n'
LIMITED = ALICE + b'in = ["C0INCIDENTS"]\n'
BOTH = ALICE + b'[[grant]]\nto = ["U0BOB"]\nmay = ["view"]\n'
BROKEN = b'[[grant]]\nto = ["@alice"]\nmay = ["stop"]\n'
NO_TOML = b"[[grant]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_bytes(ALICE)
    return path


def looks(force: PolicyInForce, times: int = 2) -> list[bool]:
    return [force.look(force.read()) for _ in range(times)]


def test_a_good_change_counts_when_it_was_seen_twice(file: Path) -> None:
    force = PolicyInForce(file)
    assert looks(force) == [False, False]
    file.write_bytes(BOTH)
    assert looks(force, 1) == [False]
    assert len(force.policy().grants) == 1
    assert looks(force, 3) == [True, False, False]
    assert len(force.policy().grants) == 2
    assert force.version.sha256 == hashlib.sha256(BOTH).hexdigest()
    assert force.trouble == ()


def test_a_file_seen_half_written_never_opens_what_its_last_lines_close(file: Path) -> None:
    file.write_bytes(LIMITED)
    force = PolicyInForce(file)
    for half in (b"", LIMITED[:20], ALICE, LIMITED + b"[rules]\n"):
        assert not force.look(half)
    assert force.policy().grants[0].channels == frozenset({"C0INCIDENTS"})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BROKEN, "policy.toml:2: grant 1, to, entry 1 must be an id"),
        (NO_TOML, "policy.toml:1: is not TOML"),
        (b"\xff", "policy.toml: cannot be read (UnicodeDecodeError)"),
        (b"#" * (LARGEST + 1), "policy.toml: cannot be read (TooLarge)"),
        (None, "policy.toml: cannot be read (FileNotFoundError)"),
    ],
    ids=["no id", "no TOML", "no text", "huge", "gone"],
)
def test_what_is_broken_or_gone_keeps_the_last_good_one_and_says_why(
    file: Path, content: bytes | None, why: str
) -> None:
    force = PolicyInForce(file)
    good = force.version
    file.write_bytes(content) if content is not None else file.unlink()
    assert looks(force, 3) == [False, True, False]
    assert force.version == good
    assert force.trouble[0].startswith(why)
    file.write_bytes(ALICE)
    assert looks(force, 3) == [False, True, False]
    assert (force.version, force.trouble) == (good, ())


def test_an_editor_that_replaces_the_file_and_a_volume_that_swaps_a_link_are_seen(tmp_path: Path) -> None:
    for number, content in enumerate((ALICE, BOTH)):
        (tmp_path / f"v{number}").mkdir()
        (tmp_path / f"v{number}" / "policy.toml").write_bytes(content)
    (tmp_path / "data").symlink_to("v0")
    force = PolicyInForce(tmp_path / "data" / "policy.toml")
    (tmp_path / "next").symlink_to("v1")
    (tmp_path / "next").rename(tmp_path / "data")
    assert looks(force) == [False, True]
    (tmp_path / "saved").write_bytes(LIMITED)
    (tmp_path / "saved").rename(tmp_path / "v1" / "policy.toml")
    assert looks(force) == [False, True]
    assert force.policy().grants[0].channels == frozenset({"C0INCIDENTS"})


def test_without_a_file_nobody_may_do_anything() -> None:
    force = PolicyInForce(None)
    assert (force.version, force.trouble, force.watched) == (Version(Policy(), ""), (), False)
    assert PolicyInForce(None).policy() == Policy()


def test_what_is_in_force_has_a_version_and_an_age(file: Path) -> None:
    now = [5.0]
    force = PolicyInForce(file, clock=lambda: now[0])
    assert (force.version.policy.version, force.age) == (hashlib.sha256(ALICE).hexdigest()[:12], 0.0)
    now[0] = 8.0
    assert force.age == 3.0
    file.write_bytes(BOTH)
    looks(force)
    assert (force.policy().version, force.age) == (hashlib.sha256(BOTH).hexdigest()[:12], 0.0)


def test_a_change_that_was_taken_back_is_none(file: Path) -> None:
    force = PolicyInForce(file)
    file.write_bytes(BOTH)
    assert looks(force, 1) == [False]
    file.write_bytes(ALICE)
    assert looks(force, 3) == [False, False, False]


def test_a_mark_at_the_beginning_of_the_file_is_none_of_its_words(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + ALICE)
    assert len(PolicyInForce(file).policy().grants) == 1


def test_a_file_as_large_as_a_policy_may_be_is_read(file: Path) -> None:
    file.write_bytes(ALICE + b"#" * (LARGEST - len(ALICE)))
    force = PolicyInForce(file)
    assert looks(force) == [False, False]
    file.write_bytes(ALICE + b"#" * (LARGEST - len(ALICE) + 1))
    assert looks(force) == [False, True]
    assert force.trouble == ("policy.toml: cannot be read (TooLarge).",)


def test_a_mistake_begins_with_the_name_of_the_file(file: Path) -> None:
    other = file.with_name("rules.toml")
    other.write_bytes(BROKEN)
    with pytest.raises(Misconfigured) as broken:
        PolicyInForce(other)
    assert [mistake.partition(":")[0] for mistake in broken.value.mistakes] == ["rules.toml"]


def test_nobody_starts_with_a_broken_policy(file: Path) -> None:
    file.write_bytes(BROKEN)
    with pytest.raises(Misconfigured, match=r"policy\.toml:2"):
        PolicyInForce(file)


@given(st.lists(st.sampled_from([ALICE, LIMITED, BOTH, BROKEN, NO_TOML, b"", OSError(), FileNotFoundError()])))
def test_whatever_is_seen_the_policy_in_force_is_the_last_good_one_seen_twice_in_a_row(
    tmp_path_factory: pytest.TempPathFactory, seen: list[bytes | Exception]
) -> None:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_bytes(ALICE)
    force = PolicyInForce(path)
    good: object = ALICE
    last: object = ALICE
    wrong = False
    for one in seen:
        force.look(one)
        if _same(one, last):
            wrong = one in (BROKEN, NO_TOML) or isinstance(one, Exception)
            good = good if wrong else one
        last = one
        assert isinstance(good, bytes)
        assert force.version.sha256 == hashlib.sha256(good).hexdigest()
        assert bool(force.trouble) == wrong


def _same(one: object, other: object) -> bool:
    return one == other or (isinstance(one, OSError) and type(one) is type(other))


# ---------------------------------------------------------------- mounted by itself


class Mounted:
    """The file as a container has it that mounted nothing else: the old one stays, whatever is done outside."""

    def __init__(self, outside: Path) -> None:
        self.outside = outside
        self._file = outside.open("rb")
        self.path = Path(f"/proc/{os.getpid()}/fd/{self._file.fileno()}")

    def close(self) -> None:
        self._file.close()

    def is_replaced(self, content: bytes) -> None:
        new = self.outside.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.outside)


@pytest.fixture
def mounted(file: Path) -> Iterator[Mounted]:
    mounted = Mounted(file)
    yield mounted
    mounted.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux says what is behind an open file")
def test_a_file_that_was_replaced_outside_is_broken_and_lets_nobody_stop_after_a_while(mounted: Mounted) -> None:
    now = [0.0]
    force = PolicyInForce(mounted.path, clock=lambda: now[0])
    alice = Person("U0ALICE", Standing.MEMBER)
    assert looks(force) == [False, False]
    mounted.is_replaced(BOTH)
    assert looks(force) == [False, True]
    assert "was replaced outside" in force.trouble[0]
    assert (force.blind, force.suspended) == (True, False)

    def may_stop(seconds: float) -> Decision:
        now[0] = seconds
        return decide(force.policy(), alice, channel="C0", permission=Permission.STOP, flow=None)

    assert may_stop(BLIND - 0.1).allowed
    assert not may_stop(BLIND).allowed
    assert "the policy file was replaced" in may_stop(BLIND).because
    with pytest.raises(Misconfigured, match="Mount its folder"):
        PolicyInForce(mounted.path)


def test_a_folder_that_is_swapped_under_its_name_is_seen(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: https://kubernetes.io/docs/concepts/configuration/configmap/"""
    for name, content in (("..1", ALICE), ("..2", BOTH)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.toml").write_bytes(content)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "policy.toml").symlink_to("..data/policy.toml")
    force = PolicyInForce(tmp_path / "policy.toml")
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert looks(force) == [False, True]
    assert len(force.policy().grants) == 2
    assert not force.blind


# ---------------------------------------------------------------- what the kernel says of it

LINE = "36 35 98:0 {source} {here} rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
"""https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernel's list, to be written."""
    path = tmp_path / "mountinfo"
    path.write_text("", encoding="utf-8")
    monkeypatch.setattr("bot.policy.active_policy._MOUNTS", str(path))
    return path


def mounted_as(mounts: Path, *lines: tuple[str, object]) -> None:
    written = [LINE.format(source=source, here=here) for source, here in lines]
    mounts.write_text("\n".join(["short line", *written]), encoding="utf-8")


def test_what_is_mounted_at_a_path_is_its_last_mount_by_the_name_outside(mounts: Path, file: Path) -> None:
    assert source_of(str(file)) == ""
    mounted_as(mounts, ("/a", file), ("/home/x\\040y/policy.toml", file), ("/c", file.parent))
    assert source_of(str(file)) == "/home/x y/policy.toml"


def test_a_path_is_looked_up_by_what_its_links_lead_to(mounts: Path, file: Path) -> None:
    here = file.parent / "with space"
    here.mkdir()
    link = file.parent / "link"
    link.symlink_to(here)
    mounted_as(mounts, ("/a\\134b", str(here).replace(" ", "\\040")))
    assert source_of(str(link)) == "/a\\b"


def test_where_the_kernel_has_no_list_nothing_is_known(mounts: Path, file: Path) -> None:
    mounts.unlink()
    assert source_of(str(file)) == ""


def test_a_file_whose_mount_got_another_name_or_none_was_replaced(mounts: Path, file: Path) -> None:
    mounted_as(mounts, ("/etc/policy.toml", file))
    force = PolicyInForce(file)
    assert looks(force) == [False, False]
    mounted_as(mounts, ("/etc/policy.toml~", file))
    assert looks(force) == [False, True]
    said = [force.blind]
    mounted_as(mounts, ("/etc/policy.toml", file))
    assert looks(force) == [False, True]
    assert [*said, force.blind] == [True, False]
    mounted_as(mounts, ("/etc/policy.toml//deleted", file))
    with pytest.raises(Misconfigured):
        PolicyInForce(file)


def test_a_file_that_was_not_mounted_by_itself_is_not_looked_up_again(mounts: Path, file: Path) -> None:
    force = PolicyInForce(file)
    mounted_as(mounts, ("/etc/policy.toml", file))
    assert looks(force) == [False, False]
