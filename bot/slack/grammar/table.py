"""Read what is typed after `/flows` by one table, from which help is drawn, too.

Nothing here reads or does anything: text in, a ``Request`` out, or ``NotUnderstood`` with a line that would be
understood. Decisions:

- An unknown word is never guessed: it is refused with a suggestion. A phone number, alone or where `show`, `stop` or
  `watch` want an id, is looked for: `find` only reads.
- `show`, `stop` and `watch` alone ask for a menu to choose from.
- The first word after `stop` names the activeflow, the rest is the reason. When the first word names none, the line is
  a pasted text: it must name exactly one, and what follows that is the reason.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.model import from_typed
from bot.activeflows.numbers import numbers_in
from bot.activeflows.operators import Permission
from bot.activeflows.queries.filters import DOING, WRONG
from bot.activeflows.queries.resolution import SHORTEST, FoundTarget, Prefix, Target, read_target, targets_in
from bot.slack.grammar.normalization import (
    SEPARATORS,
    Word,
    cleaned,
    mentioned,
    plain,
    unquoted,
    without_mentions,
    words,
)
from bot.slack.grammar.requests import (
    ME,
    Audit,
    Doctor,
    Find,
    Help,
    Pick,
    Recap,
    Request,
    Show,
    Stop,
    Unwatch,
    Watch,
    Whoami,
    closest,
    read_groups,
    read_listing,
    read_stop_all,
    typed,
)

# ---------------------------------------------------------------- reference
# Read which activeflow a line means: its id, the beginning of one, the id of its call, or a pasted text.
#
# Text in, a ``Target`` out, or ``NotUnderstood`` with a line that comes closer.

_DIGITS: Final = re.compile(r"[\d +()./-]+", re.ASCII)
EDGES: Final = "\"'<>()[],;:.|*_"
"""What may stand around a word without belonging to it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands after the command's word."""

    text: str
    words: tuple[Word, ...]


def reference(line: Line, word: str, *, strict: bool) -> tuple[Target, str]:
    """Return the activeflow that is meant, and what follows it. ``strict``: nothing after it may name another."""
    if not line.words:
        raise NotUnderstood(f"{word} which activeflow? Give its id, at least the first {SHORTEST} digits", "list")
    first = line.words[0]
    found = targets_in(plain(line.text))
    bare = _named_by(first)
    if bare is not None and not strict:
        return bare, line.text[first.end :].strip(" `")
    meant = [place.target for place in found]
    if bare is not None and not any(_same(bare, target) for target in meant):
        meant.insert(0, bare)
    if len(meant) == 1:
        end = found[0].end if found else first.end
        return meant[0], line.text[end:].partition(" ")[2].strip(" `")
    if meant:
        several = ", ".join(str(target) for target in meant[:5])
        raise NotUnderstood(f"that names several activeflows ({several}). Name one")
    problem = f"“{first.written[:40]}” is not an activeflow or call id. Give at least its first {SHORTEST} digits"
    raise NotUnderstood(problem, "list")


def phone_number(line: Line) -> bool:
    """Tell whether a phone number is there where an activeflow should be named? One word that can be an id is one."""
    text = plain(line.text).strip(f"{EDGES} ")
    numbers = numbers_in(text)
    if not numbers or read_target(text) is not None:
        return False
    if len(line.words) > 1 and len(numbers) == 1 and _DIGITS.fullmatch(text):
        return True
    return _named_by(line.words[0]) is None and not targets_in(text)


def lone_reference(line: Line, word: str) -> Target:
    """Return the activeflow that is meant, by an id with nothing after it or by a pasted text."""
    target, _ = reference(line, word, strict=True)
    first, *more = line.words
    if more and _named_by(first) is not None:
        rest = line.text[first.end :].strip(" `")
        raise NotUnderstood(f"{word} takes only an id. Leave out “{rest[:40]}”", f"{word} {target}")
    return target


def _named_by(first: Word) -> Target | None:
    return read_target(first.text.strip(EDGES)) or _only(targets_in(first.text))


def _only(found: Sequence[FoundTarget]) -> Target | None:
    return found[0].target if len(found) == 1 else None


def _same(short: Target, other: Target) -> bool:
    return short == other or (isinstance(short, Prefix) and _digits(other).startswith(short.digits))


def _digits(target: Target) -> str:
    return target.digits if isinstance(target, Prefix) else target.hex


# ---------------------------------------------------------------- account words
# Read which VoIPBIN account a line is about: ``account:staging``, a word of its own, wherever it stands.
#
# A word that nearly says so is refused and not read as anything else: the line would be about another account than was
# meant.

_KEY: Final = "account"
_WORD: Final = re.compile(rf"-*(?P<key>[a-z]+)[{SEPARATORS}]+(?P<name>.*)", re.IGNORECASE | re.DOTALL)
_ALIKE: Final = 0.75
_SHORT: Final = ("acc", "acct")


class NoAccount(Exception):
    """No account that there is. ``meant``: the one that may be, or the first; the suggestion is the line without it."""

    def __init__(self, problem: str, meant: str, suggestion: str = "") -> None:
        super().__init__(problem)
        self.meant, self.refusal = meant, NotUnderstood(problem, suggestion)


def written(account: str) -> str:
    """Return what one types for it."""
    return f"{_KEY}:{account}"


def read_account(text: str, accounts: Collection[str]) -> tuple[str, str]:
    """Return the account of a line, empty where it says none, and the line without that word. Raises ``NoAccount``."""
    line, start = cleaned(text), 0
    kept, said = list[str](), list[str]()
    for word in words(line):
        between, start = line[start : word.end], word.end
        found = _WORD.fullmatch(word.text)
        if found is not None and _is_key(found["key"]):
            said.append(found["name"].strip("\"'").lower() if found["key"].lower() == _KEY else word.text)
        else:
            kept.append(between)
    rest = "".join(kept).strip()
    strange = next((name for name in said if name not in accounts), None)
    if strange is not None:
        meant = closest(strange, sorted(accounts)) or closest(strange.partition(":")[2], sorted(accounts))
        problem = f"there is no VoIPBIN account “{strange[:40]}” here. {_all(accounts)}"
        raise NoAccount(problem, meant or min(accounts), rest if meant else "")
    if len(set(said)) > 1:
        raise NoAccount(f"one line is about one VoIPBIN account, not about {' and '.join(said[:2])}", said[0])
    return (said or [""])[0], rest


def which(accounts: Collection[str]) -> NoAccount:
    """Return what is said where no account is meant and none was said."""
    return NoAccount(f"say which VoIPBIN account: none belongs to this place. {_all(accounts)}", min(accounts))


def _is_key(word: str) -> bool:
    return word.lower() in _SHORT or SequenceMatcher(None, word.lower(), _KEY).ratio() >= _ALIKE


def _all(accounts: Collection[str]) -> str:
    return f"There are {', '.join(map(written, sorted(accounts)))}"


# ---------------------------------------------------------------- table

LONGEST_REASON: Final = 500
_ATTEMPTS: Final = 6


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the grammar: what help says of it, and what it reads of the rest of the line."""

    word: str
    usage: str
    about: str
    """One sentence, shown beside the example."""
    example: str
    read: Callable[[Line], Request]
    needs: Permission | None = None
    aliases: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Sentences for whoever asks for help on this one."""


def parse(text: str) -> Request:
    """Return the request this text is. Raises ``NotUnderstood``; its suggestion, when there is one, parses."""
    try:
        return _read(text)
    except NotUnderstood as refused:
        raise NotUnderstood(refused.problem, _understood(refused.suggestion)) from None


def begins_with_a_command(text: str) -> bool:
    """Tell whether its first word is one of the table's, or one that is often taken for one?"""
    first = next(iter(words(cleaned(text))), None)
    word = first.text.strip(EDGES).lower() if first is not None else ""
    return any(word in (known.word.partition(" ")[0], *known.aliases) for known in COMMANDS)


def _understood(line: str) -> str:
    """Return the line, corrected until it is understood; empty when that does not come about."""
    for _ in range(_ATTEMPTS):
        if not line:
            return ""
        try:
            return typed(_read(line))
        except NotUnderstood as refused:
            line = refused.suggestion
    return ""


def _read(text: str) -> Request:
    line = cleaned(text)
    first, *rest = words(line) or [Word("help", "help", 0)]
    word = first.text.strip(EDGES).lower()
    command = next((known for known in COMMANDS if known.word == word), None)
    if command is None or " " in word:  # in quotes, two words are one that nobody knows
        if numbers_in(line) and not any(c.isalpha() for c in word):
            return Find(line)
        raise _unknown(word, line, line[first.end :])
    start = first.end
    after = Line(line[start:], tuple(Word(w.text, w.written, w.end - start) for w in rest))
    if word == "stop" and after.words and after.words[0].text.lower() == "all":
        return _stop_all(after)
    return command.read(after)


def _unknown(word: str, line: str, rest: str) -> NotUnderstood:
    problem = f"unknown command “{word[:40]}”"
    if read_target(word) is not None:
        return NotUnderstood(problem, f"show {line}")
    nearest = next((known.word for known in COMMANDS if word in known.aliases), None)
    nearest = nearest or closest(word, [known.word for known in COMMANDS])
    if nearest is not None:
        return NotUnderstood(problem, f"{nearest}{rest}")
    if targets_in(line):
        return NotUnderstood(problem, f"show {line}")
    return NotUnderstood(problem, f"list {line}" if ":" in word else "help")


# ---------------------------------------------------------------- what each word reads


def _help(line: Line) -> Request:
    if line.text.strip().lower().startswith("stop all"):
        return Help("stop all")
    word = line.words[0].text.strip(EDGES).lower() if line.words else ""
    return Help(next((known.word for known in COMMANDS if word in (known.word, *known.aliases)), ""))


def _list(line: Line) -> Request:
    if line.words and read_target(line.words[0].text.strip(EDGES)) is not None:
        raise NotUnderstood("list takes filters, not an id", f"show {line.text}")
    if line.words and line.words[0].text.lower() == "by":
        return read_groups(line.words)
    return read_listing(line.words)


def _show(line: Line) -> Request:
    if not line.words:
        return Pick("show")
    if phone_number(line):
        return Find(line.text.strip())
    target, _ = reference(line, "show", strict=True)
    return Show(target)


def _find(line: Line) -> Request:
    text = line.text.strip()
    if not text:
        raise NotUnderstood("find what? Give a phone number, a call id, a flow or queue name, or some words", "list")
    return Find(text)


def _stop(line: Line) -> Request:
    if not line.words:
        return Pick("stop")
    if phone_number(line):
        return Find(line.text.strip())
    target, rest = reference(line, "stop", strict=False)
    first, _, after = rest.partition(" ")
    now = first.lower() == "now"
    reason = without_mentions(unquoted(after if now else rest).strip())
    if len(reason) > LONGEST_REASON:
        shorter = typed(Stop(target, now, reason[:LONGEST_REASON].strip()))
        raise NotUnderstood(f"the reason is too long: at most {LONGEST_REASON} characters", shorter)
    return Stop(target, now, reason)


def _stop_all(line: Line) -> Request:
    """Read a bulk stop; ``line`` begins with the word `all`."""
    all_, *rest = line.words
    after = tuple(Word(w.text, w.written, w.end - all_.end) for w in rest)
    return read_stop_all(after, line.text[all_.end :], longest_reason=LONGEST_REASON)


def _watch(line: Line) -> Request:
    if not line.words:
        return Pick("watch")
    if phone_number(line):
        return Find(line.text.strip())
    return Watch(lone_reference(line, "watch"))


def _unwatch(line: Line) -> Request:
    return Unwatch(lone_reference(line, "unwatch") if line.words else None)


def _whoami(_: Line) -> Request:
    return Whoami()


def _doctor(_: Line) -> Request:
    return Doctor()


# ---------------------------------------------------------------- the table

_REF: Final = "<id>"
_WHICH: Final = (
    "The id is the activeflow’s or its call’s. Its first 4 digits are enough.",
    "A pasted line works, too, if it names one only.",
)
_PICK: Final = "Without an id, you choose from what runs, and can type to search it."


def _audit(line: Line) -> Audit:
    """Return the records that are asked for. Raises ``NotUnderstood``."""
    asked = Audit()
    for word in line.words:
        asked = _audited(asked, word, line)
    return asked


def _recap(line: Line) -> Recap:
    """Read how far back. Raises ``NotUnderstood``."""
    if not line.words:
        return Recap()
    word = line.words[0].text.strip(EDGES).lower()
    since = from_typed(word.removeprefix("since:"))
    if since is not None and word.startswith("since:") and len(line.words) == 1:
        return Recap(since)
    raise NotUnderstood("recap takes a duration, like since:2h", typed(Recap() if since is None else Recap(since)))


def _audited(asked: Audit, word: Word, line: Line) -> Audit:
    bare = word.text.strip(EDGES)
    user = ME if bare.lower() == ME else mentioned(word.written) or mentioned(bare)
    target = read_target(bare)
    if bare.lower().startswith("since:"):
        since = from_typed(bare[len("since:") :])
        if since is None:
            raise NotUnderstood("“since:” takes a duration like 2h or 3d", typed(asked))
        return replace(asked, since=since)
    if bare.lower() == "all" and not asked.every:
        return replace(asked, every=True)
    if user is not None and asked.user is None:
        return replace(asked, user=user)
    if target is not None and asked.target is None:
        return replace(asked, target=target)
    raise _not_audited(asked, word, line)


def _not_audited(asked: Audit, word: Word, line: Line) -> NotUnderstood:
    if word.text.startswith("@"):
        problem = "names can be faked. Give the member ID: profile, “⋮”, “Copy member ID”"
        return NotUnderstood(problem, typed(asked))
    if from_typed(word.text) is not None and asked.since is None:
        return NotUnderstood("write a time as since:2h", f"{typed(asked)} since:{word.text}")
    problem = f"“{word.written[:40]}” is not an id, a person or since:2h"
    return NotUnderstood(problem, f"{typed(asked)} {line.text[word.end :].strip()}")


COMMANDS: Final = (
    Command(
        "list",
        "list [by flow | by action] [filters]",
        "Shows the running activeflows. What is wrong comes first, then the oldest.",
        "list older:10m",
        _list,
        Permission.VIEW,
        ("ls", "running", "active", "flows", "activeflows", "all"),
        (
            (
                'Filters: flow:"Support line", is:waiting, type:call, action:"playing audio", '
                "status:ended, older:10m, newer:2h."
            ),
            f"After is: {', '.join(DOING)}. What is wrong: {', '.join(WRONG)}.",
            "sort:newest and sort:oldest change the order. page:2 shows the next page.",
            "By flow or by action, it counts them instead.",
        ),
    ),
    Command(
        "show",
        f"show [{_REF}]",
        "Shows what one does, what it did, and what a stop would do.",
        "show 3c5b0f6e",
        _show,
        Permission.VIEW,
        ("get", "info", "inspect", "describe", "details", "view", "look"),
        (*_WHICH, _PICK),
    ),
    Command(
        "find",
        "find <number, id, name or words>",
        "Finds activeflows by what you know.",
        "find Support line",
        _find,
        Permission.VIEW,
        ("search", "grep", "locate", "lookup", "number", "caller", "phone"),
        (
            "A phone number finds recent calls, however it is written.",
            "A flow or queue is found by its name, even misspelt.",
            "Other words find what an activeflow is doing.",
        ),
    ),
    Command(
        "stop",
        f"stop [{_REF} [now] [reason]]",
        "Posts a stop card here. Nothing stops until somebody presses it.",
        "stop 3c5b0f6e it loops",
        _stop,
        Permission.STOP,
        ("kill", "end", "hangup", "terminate", "cancel", "abort", "halt", "delete"),
        (
            "Whoever presses needs permission to stop it.",
            "If it has moved on by then, the card asks once more. With “now” it doesn’t.",
            *_WHICH,
            _PICK,
        ),
    ),
    Command(
        "stop all",
        "stop all <filters> [reason]",
        "Posts one stop card for every match.",
        "stop all older:10m they loop",
        _stop_all,
        Permission.BULK,
        ("stopall", "killall", "bulk", "stop-all"),
        (
            "It needs at least one filter of a list. Filters come before the reason.",
            "The card holds what matches now. Later ones are left alone.",
            "The policy can ask for a second person to press.",
        ),
    ),
    Command(
        "watch",
        f"watch [{_REF}]",
        "Posts a card here that follows one until it ends.",
        "watch 3c5b0f6e",
        _watch,
        Permission.VIEW,
        ("follow", "track", "monitor", "tail"),
        ("The card shows what it does, what it did and its age.", *_WHICH, _PICK),
    ),
    Command(
        "unwatch",
        f"unwatch [{_REF}]",
        "Ends a watch card. Nothing is stopped.",
        "unwatch 3c5b0f6e",
        _unwatch,
        Permission.VIEW,
        ("unfollow", "untrack"),
        ("Without an id, it ends all cards that you asked for here.",),
    ),
    Command(
        "audit",
        f"audit [{_REF}] [all] [@person | me] [since:2h]",
        "Shows who stopped what, one line a stop, newest first.",
        "audit since:2h",
        _audit,
        Permission.VIEW,
        ("log", "history", "logs", "who"),
        (
            "You see your own records. With the audit permission you see everybody’s.",
            "With an id, or with all, it shows every record.",
        ),
    ),
    Command(
        "recap",
        "recap [since:2h]",
        "Sums up what this channel stopped, for the incident.",
        "recap since:2h",
        _recap,
        Permission.AUDIT,
        ("summary", "report", "postmortem", "summarize"),
        ("You see it first. Post it here adds two files: Markdown and CSV.",),
    ),
    Command(
        "whoami",
        "whoami",
        "Says what you can do here, and why.",
        "whoami",
        _whoami,
        None,
        ("me", "permissions", "access", "rights"),
    ),
    Command(
        "doctor",
        "doctor",
        "Checks what the bot needs, and says how to repair it.",
        "doctor",
        _doctor,
        None,
        ("check", "health", "status", "ping"),
    ),
    Command(
        "help",
        "help [command]",
        "Says more about one command.",
        "help stop",
        _help,
        None,
        ("?", "-h", "--help", "usage", "commands", "man"),
    ),
)


def usage_hint() -> str:
    """Return the hint Slack shows while somebody types the command."""
    return " | ".join(command.usage for command in COMMANDS if command.word != "audit")
