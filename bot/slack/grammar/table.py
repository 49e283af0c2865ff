"""Read what is typed after `/flows` by one table, from which help is drawn, too.

Nothing here reads or does anything: text in, a ``Request`` out, or ``NotUnderstood`` with a line that would be
understood. Decisions:

- An unknown word is never guessed: it is refused with a suggestion. A phone number, alone or where `show`, `stop` or
  `watch` want an id, is looked for: `find` only reads.
- `show`, `stop` and `watch` alone ask for a menu to choose from.
- The first word after `stop` names the activeflow, the rest is the reason. When the first word names none, the line is
  a pasted text: it must name exactly one, and what follows that is the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.model import from_typed
from bot.activeflows.numbers import numbers_in
from bot.activeflows.operators import Permission
from bot.activeflows.queries.filters import DOING, WRONG
from bot.activeflows.queries.resolution import read_target, targets_in
from bot.slack.grammar.filter_words import closest, read_groups, read_listing, read_stop_all
from bot.slack.grammar.normalization import Word, cleaned, mentioned, unquoted, without_mentions, words
from bot.slack.grammar.reference import EDGES, Line, lone_reference, phone_number, reference
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
    typed,
)

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
    """``line`` begins with the word `all`."""
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
    """The records that are asked for. Raises ``NotUnderstood``."""
    asked = Audit()
    for word in line.words:
        asked = _audited(asked, word, line)
    return asked


def _recap(line: Line) -> Recap:
    """How far back. Raises ``NotUnderstood``."""
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
    """The hint Slack shows while somebody types the command."""
    return " | ".join(command.usage for command in COMMANDS if command.word != "audit")
