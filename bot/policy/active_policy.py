"""Keep the policy in force: look at the file again and again, and take a good change over.

Promises: what is broken, unreadable or gone changes nothing and opens nothing; the last good policy stays in force and
``trouble`` says why. Decisions:

- The whole content is compared, not its times: a policy is small, editors replace files, mounted volumes swap links,
  and a change within one tick of the clock is a change.
- A change counts once two looks in a row have seen the same. A file that is just being written may be a good policy
  without its last lines, and the last lines may be those that limit it.
- A file that was mounted by itself and then replaced is not merely broken: what is in force may have been taken back,
  and nobody here can see it. So it is good for ``BLIND`` seconds more; then it lets nobody do what cannot be undone.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, Final

from bot.activeflows.health import Finding, HealthState
from bot.activeflows.operators import Policy
from bot.misconfigured import Misconfigured
from bot.policy.file import decoded_policy, parsed_policy, unreadable_policy

# ---------------------------------------------------------------- mounts
# Tell whether a mounted file is still the one that its name means outside.
#
# Who mounts a single file into a container (``docker run -v ./policy.toml:/etc/…``) mounts what the name means at that
# moment. An editor that writes a new file and gives it the old name is never seen in there: the old one stays. It then
# has no name any more, or another one, and Linux says so:
# https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html

_MOUNTS: Final = "/proc/self/mountinfo"
_DELETED: Final = "//deleted"
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def source_of(path: str) -> str:
    """Return what is mounted at this very path, by its name there; empty where nothing is, or where that cannot be
    known.
    """
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 # a file of the kernel's
            lines = file.read().splitlines()
    except OSError:  # not Linux
        return ""
    here = os.path.realpath(path)
    found = [fields[3] for fields in map(str.split, lines) if len(fields) > 4 and _plain(fields[4]) == here]
    return _plain(found[-1]) if found else ""


def replaced(file: BinaryIO, path: str, source: str) -> bool:
    """Tell whether another file has taken its name outside. ``source``: what ``source_of`` said when it was first
    looked at.
    """
    if os.fstat(file.fileno()).st_nlink == 0:
        return True
    now = source_of(path) if source else ""
    return now != source or now.endswith(_DELETED)


def _plain(word: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), word)


# ---------------------------------------------------------------- active policy

VERSION_DIGITS: Final = 12
"""As many of its SHA-256 say which policy decided something, in the record of it."""
LARGEST: Final = 1_000_000
"""Bytes of a policy. What is larger is none, and is not read into memory each second."""


BLIND: Final = 60.0
"""Seconds for which a policy still lets people stop after the file was found to be replaced where it cannot be seen."""
_UNSEEN: Final = "the policy file was replaced, and the bot sees only the old one"


class PolicyReplaced(Exception):
    """Another file has its name by now, outside; the one that can be read here is the old one."""


class TooLarge(ValueError):
    """More bytes than a policy has."""


@dataclass(frozen=True, slots=True)
class Version:
    """One good state of the file. ``sha256`` (hex) is of its bytes; empty when there is no file at all."""

    policy: Policy
    sha256: str


class PolicyInForce:
    """``policy()`` for everybody who decides; ``look`` for whoever watches the file."""

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file. Raises ``Misconfigured``: nobody starts with a broken policy."""
        self._path, self._clock = path, clock
        self._source = "" if path is None else source_of(str(path))
        self._blind_since: float | None = None
        self._seen: bytes | Exception | None = None if path is None else self.read()
        self._settled = True
        self.version = Version(Policy(), "") if path is None else self._version()
        self._since = clock()
        self.trouble: tuple[str, ...] = ()
        """One line per mistake of the file as it is now; empty while it is the one in force."""

    @property
    def watched(self) -> bool:
        """There is a file to look at."""
        return self._path is not None

    @property
    def age(self) -> float:
        """Seconds for which this version is in force here."""
        return self._clock() - self._since

    @property
    def blind(self) -> bool:
        """The file was replaced where that cannot be seen."""
        return self._blind_since is not None

    @property
    def suspended(self) -> bool:
        """It is blind for so long that nobody may stop any more."""
        return self._blind_since is not None and self._clock() - self._blind_since >= BLIND

    def policy(self) -> Policy:
        policy = self.version.policy
        return replace(policy, suspended=_UNSEEN) if self.suspended else policy

    def read(self) -> bytes | Exception:
        """Return what the file holds, or why that cannot be known. Blocks on the disk."""
        assert self._path is not None  # noqa: S101 - nobody looks at no file
        try:
            with self._path.open("rb") as file:
                content = file.read(LARGEST + 1)
                if replaced(file, str(self._path), self._source):
                    return PolicyReplaced()
        except OSError as trouble:
            return trouble
        return content if len(content) <= LARGEST else TooLarge()

    def look(self, seen: bytes | Exception) -> bool:
        """Take in what ``read`` gave; whether ``version`` or ``trouble`` has changed by it."""
        if not _same(seen, self._seen):
            self._seen, self._settled = seen, False
            return False
        if self._settled:
            return False
        self._settled = True
        before = self.version, self.trouble
        if not isinstance(self._seen, PolicyReplaced):
            self._blind_since = None
        elif self._blind_since is None:
            self._blind_since = self._clock()
        try:
            version = self._version()
        except Misconfigured as broken:
            self.trouble = broken.mistakes
        else:
            self.trouble = ()
            if version.sha256 != self.version.sha256:
                self.version, self._since = version, self._clock()
        return (self.version, self.trouble) != before

    def _version(self) -> Version:
        assert self._path is not None  # noqa: S101 - nobody looks at no file
        if isinstance(self._seen, PolicyReplaced):
            raise Misconfigured(
                f"{self._path.name}: was replaced outside, and only the old file can be seen from here. "
                "Mount its folder instead of the file, and restart the bot."
            )
        if not isinstance(self._seen, bytes):
            raise unreadable_policy(self._path, self._seen or OSError())
        try:
            text = decoded_policy(self._seen)
        except UnicodeDecodeError as trouble:
            raise unreadable_policy(self._path, trouble) from None
        sha256 = hashlib.sha256(self._seen).hexdigest()
        return Version(replace(parsed_policy(text, name=self._path.name), version=sha256[:VERSION_DIGITS]), sha256)


def _same(one: bytes | Exception, other: bytes | Exception | None) -> bool:
    return one == other if isinstance(one, bytes) else type(one) is type(other)


# ---------------------------------------------------------------- health
# Check whether there is a policy, and whether it is the file's.

_ABOUT: Final = "policy"


async def in_force(policy: PolicyInForce, accounts: Sequence[str] = ("",)) -> Finding:
    """Return how many grants are in force, and why the file as it is now is not. ``accounts``: as the settings have
    them.
    """
    count = sum(any(grant in policy.policy().of(name).grants for name in accounts) for grant in policy.policy().grants)
    grants = len(policy.policy().grants)
    counted = "1 grant" if grants == 1 else f"{grants} grants"
    if policy.blind:
        until = "nobody can stop any more" if policy.suspended else "soon nobody can stop any more"
        what = f"the file was replaced outside, and the bot sees only the old one: {until}"
        then = "Mount its folder instead of the file, and restart the bot."
        return Finding(_ABOUT, HealthState.BROKEN, what, then, disabling=policy.suspended)
    if policy.trouble:
        mistakes = f"{policy.trouble[0]}" + (f" (and {len(policy.trouble) - 1} more)" if policy.trouble[1:] else "")
        what = f"the file is broken, the last good one stays in force ({counted}). {mistakes}"
        return Finding(
            _ABOUT, HealthState.WARNING, what, "Repair the file: flows-bot policy check lists every mistake."
        )
    if not grants:
        why = "grants nothing" if policy.watched else "is not set"
        return Finding(
            _ABOUT, HealthState.BROKEN, f"FLOWS_BOT_POLICY {why}: nobody can do anything", "Write a policy file."
        )
    if trouble := strange_accounts(policy.policy(), accounts):
        then = "Name the accounts as VOIPBIN_ACCOUNT__<name>__… does: what names none, or another one, counts for none."
        return Finding(_ABOUT, HealthState.WARNING, f"{count} of {counted} in force. {trouble}", then)
    return Finding(_ABOUT, HealthState.OK, f"{counted} in force")


def strange_accounts(policy: Policy, accounts: Sequence[str]) -> str:
    """Return what of the policy counts for none of these accounts; empty when all of it does."""
    said = []
    for name in sorted(policy.names() - set(accounts)):
        near = get_close_matches(name, [known for known in accounts if known], n=1)
        said.append(f"The settings have no account {name}.{f' Did you mean {near[0]}?' if near else ''}")
    if [*accounts] != [""]:
        unset = [f"grant {grant.number}" for grant in policy.grants if grant.accounts is None]
        unset += [f"alert {number}" for number, rule in enumerate(policy.alerts, 1) if rule.accounts is None]
        said += [f"No accounts are named in {', '.join(unset)}."] if unset else []
    return " ".join(said)


class PolicyOf:
    """What of the policy in force counts for one account; the same object for as long as the policy is the same."""

    def __init__(self, policy: Callable[[], Policy], account: str) -> None:
        self._policy, self._account = policy, account
        self._read = policy()
        self._own = self._read.of(account)

    def __call__(self) -> Policy:
        policy = self._policy()
        if policy is not self._read and policy != self._read:
            self._own = policy.of(self._account)
        self._read = policy
        return self._own
