"""Read what is typed after `/flows` by one table, from which help is drawn, too.

Nothing here reads or does anything: text in, a ``Request`` out, or ``NotUnderstood`` with a line that would be
understood. Decisions:

- An unknown word is never guessed: it is refused with a suggestion. A phone number, alone or where `show`, `stop` or
  `watch` want an id, is looked for: `find` only reads.
- The first word after `stop` names the activeflow, the rest is the reason. When the first word names none, the line is a
  pasted text: it must name exactly one, and what follows that is the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.numbers import numbers_in
from bot.activeflows.operators import Permission
from bot.activeflows.targets import read_target, targets_in
from bot.slack.grammar.audit_words import read_audit
from bot.slack.grammar.bulk_words import read_stop_all
from bot.slack.grammar.filter_words import closest, read_groups, read_listing
from bot.slack.grammar.normalization import Word, cleaned, unquoted, without_mentions, words
from bot.slack.grammar.reference import EDGES, Line, lone_reference, phone_number, reference
from bot.slack.grammar.requests import Doctor, Find, Help, Request, Show, Stop, Unwatch, Watch, Whoami, typed

LONGEST_REASON: Final = 500
_ATTEMPTS: Final = 6


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the grammar, and what it reads of the rest of the line."""

    word: str
    usage: str
    about: str
    read: Callable[[Line], Request]
    needs: Permission | None = None
    aliases: tuple[str, ...] = ()


def parse(text: str) -> Request:
    """The request this text is. Raises ``NotUnderstood``; its suggestion, when there is one, parses."""
    try:
        return _read(text)
    except NotUnderstood as refused:
        raise NotUnderstood(refused.problem, _understood(refused.suggestion)) from None


def begins_with_a_command(text: str) -> bool:
    """Is its first word one of the table's, or one that is often taken for one?"""
    first = next(iter(words(cleaned(text))), None)
    word = first.text.strip(EDGES).lower() if first is not None else ""
    return any(word in (known.word.partition(" ")[0], *known.aliases) for known in COMMANDS)


def _understood(line: str) -> str:
    """The line, corrected until it is understood; empty when that does not come about."""
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


def _help(_: Line) -> Request:
    return Help()


def _list(line: Line) -> Request:
    if line.words and read_target(line.words[0].text.strip(EDGES)) is not None:
        raise NotUnderstood("list takes filters, not an id", f"show {line.text}")
    if line.words and line.words[0].text.lower() == "by":
        return read_groups(line.words)
    return read_listing(line.words)


def _show(line: Line) -> Request:
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
    """``line`` begins with the word `all`."""
    all_, *rest = line.words
    after = tuple(Word(w.text, w.written, w.end - all_.end) for w in rest)
    return read_stop_all(after, line.text[all_.end :], longest_reason=LONGEST_REASON)


def _watch(line: Line) -> Request:
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
COMMANDS: Final = (
    Command(
        "list",
        "list [by flow | by action] [filters]",
        'the running activeflows, newest first, or how many there are of each flow or in each action; filters: flow:"Support line", type:call, action:queue_join, '
        "status:running|ended|any, older:10m, newer:2h, page:2",
        _list,
        Permission.VIEW,
        ("ls", "running", "active", "flows", "activeflows", "all"),
    ),
    Command(
        "show",
        f"show {_REF}",
        "one activeflow: what it does, what it did, and what stopping it would do; the id (at least its first 4 "
        "digits), the id of its call, or a pasted text with one of them",
        _show,
        Permission.VIEW,
        ("get", "info", "inspect", "describe", "details", "view", "look"),
    ),
    Command(
        "find",
        "find <number, id, name or words>",
        "activeflows by what you know: a phone number in any writing (recent calls are looked through), the id of a call, a "
        "flow or a queue by its name or nearly so, or words of what one is doing",
        _find,
        Permission.VIEW,
        ("search", "grep", "locate", "lookup", "number", "caller", "phone"),
    ),
    Command(
        "stop",
        f"stop {_REF} [now] [reason]",
        "ask to stop one: posts a card here that somebody who may confirms; with “now” it does not ask once more when "
        "the activeflow has moved on",
        _stop,
        Permission.STOP,
        ("kill", "end", "hangup", "terminate", "cancel", "abort", "halt", "delete"),
    ),
    Command(
        "stop all",
        "stop all <filters> [reason]",
        "ask to stop many: posts a card with exactly those that run and fit now, for a second person to confirm where "
        "the rules want one; takes at least one filter of a list, before the reason",
        _stop_all,
        Permission.BULK,
        ("stopall", "killall", "bulk", "stop-all"),
    ),
    Command(
        "watch",
        f"watch {_REF}",
        "posts a card here that follows one activeflow until it ends: what it does, what it did before, its age",
        _watch,
        Permission.VIEW,
        ("follow", "track", "monitor", "tail"),
    ),
    Command(
        "unwatch",
        f"unwatch [{_REF}]",
        "lets such a card follow no longer; without an id, all that you began here. Nothing is stopped",
        _unwatch,
        Permission.VIEW,
        ("unfollow", "untrack"),
    ),
    Command(
        "audit",
        f"audit [{_REF}] [@person | me] [since:2h]",
        "who did what, newest first: your own records, or everybody's for those who may audit",
        read_audit,
        Permission.VIEW,
        ("log", "history", "logs", "who"),
    ),
    Command(
        "whoami", "whoami", "what you may do here, and why", _whoami, None, ("me", "permissions", "access", "rights")
    ),
    Command(
        "doctor",
        "doctor",
        "is everything this bot needs working, here and now, and what to do about what is not",
        _doctor,
        None,
        ("check", "health", "status", "ping"),
    ),
    Command("help", "help", "this overview", _help, None, ("?", "-h", "--help", "usage", "commands", "man")),
)


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One line of help: what to type, what comes of it, and the permission it takes."""

    word: str
    usage: str
    about: str
    needs: Permission | None


def help_lines() -> tuple[HelpLine, ...]:
    """Everything that can be typed, in the order of the table."""
    return tuple(HelpLine(command.word, command.usage, command.about, command.needs) for command in COMMANDS)


def usage_hint() -> str:
    """The hint Slack shows while somebody types the command."""
    return " | ".join(line.usage for line in help_lines() if not line.usage.startswith("audit"))
