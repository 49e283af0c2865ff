"""Hold what a person can ask for, as values, and each as one would type it; read the filters of a list."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from bot.activeflows.errors import NotUnderstood
from bot.activeflows.model import as_typed, from_typed
from bot.activeflows.queries.filters import DOING, WRONG, Filters
from bot.activeflows.queries.listing import By, Place, Sort
from bot.activeflows.queries.resolution import Target
from bot.activeflows.situation.actions import WORDS
from bot.activeflows.situation.current_step import KINDS, row_words
from bot.slack.grammar.normalization import SEPARATORS, Word, cleaned, plain, unquoted, without_mentions

ME: Final = "me"
"""``Audit.user`` when somebody asks about themselves."""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be done here, or with ``word`` what that command does."""

    word: str = ""


@dataclass(frozen=True, slots=True)
class List:
    """The activeflows, one page of them; pages count from 1."""

    filters: Filters = field(default_factory=Filters)
    page: int = 1
    by: By | None = None
    """Groups of them instead, with their counts."""
    sort: Sort | None = None
    """As in ``ActiveflowQueries.running``."""
    place: Place | None = None
    """Where the page begins, when it was turned to with a button: then its number does not count."""


@dataclass(frozen=True, slots=True)
class Show:
    """One activeflow in detail."""

    target: Target


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop card for one activeflow; nothing is stopped by asking.

    ``now``: when it moves to another kind of situation before the press, do not ask a second time.
    """

    target: Target
    now: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StopAll:
    """A bulk stop card for all that run and fit; nothing is stopped by asking. There is at least one filter."""

    filters: Filters
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Find:
    """Activeflows by what a person knows. The text may hold a telephone number: no button carries it, no log holds
    it.
    """

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watch:
    """A card that follows one activeflow."""

    target: Target


@dataclass(frozen=True, slots=True)
class Pick:
    """A menu to choose one activeflow from, for what stands in ``word``: its id was not typed."""

    word: Literal["show", "stop", "watch"]


@dataclass(frozen=True, slots=True)
class Unwatch:
    """Let a card follow no longer: that of one activeflow, or (``None``) all that the asker began in this channel."""

    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """Who did what: about one activeflow, by one person (a user id or ``ME``), within a time from now.

    One line for each stop; ``every``: one for each record, as always about one activeflow.
    """

    target: Target | None = None
    user: str | None = None
    since: timedelta | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Recap:
    """What the people of this channel did, within a time from now."""

    since: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Whoami:
    """What the asker may do here."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """Whether everything this bot needs is working."""


Request: TypeAlias = (
    Help | List | Show | Find | Stop | StopAll | Watch | Pick | Unwatch | Audit | Recap | Whoami | Doctor
)

_QUOTED_FIRST: Final = re.compile(r"[\"“”„‟«»″＂`'‘’‚‛′]|now(?![^ ])", re.IGNORECASE)
_LIKE_A_FILTER: Final = re.compile(rf"[{SEPARATORS}\"“”„‟«»″＂]")


def typed(request: Request) -> str:
    """Return the request as one would type it after the command's name: ``list flow:"Support line" page:2``."""
    match request:
        case Help(word):
            return _joined("help", word)
        case Whoami() | Doctor() | Pick():
            return request.word if isinstance(request, Pick) else type(request).__name__.lower()
        case List(filters, page, by, sort):
            sorting = f"sort:{sort}" if sort else ""
            return _joined(
                "list", f"by {by}" if by else "", filters.words(), sorting, f"page:{page}" if page > 1 else ""
            )
        case Show(target) | Watch(target):
            return f"{type(request).__name__.lower()} {target}"
        case Find(text):
            return f"find {text}"
        case Unwatch(meant):
            return _joined("unwatch", str(meant or ""))
        case Stop(target, now, reason):
            return _joined("stop", str(target), "now" if now else "", _typed_reason(reason))
        case StopAll(filters, reason):
            return _joined(
                "stop all",
                filters.words(),
                _in_quotes(reason) if _LIKE_A_FILTER.search(reason) else _typed_reason(reason),
            )
        case Audit() | Recap():
            return _of_records(request)


def _of_records(request: Audit | Recap) -> str:
    since = f"since:{as_typed(request.since)}" if request.since is not None else ""
    if isinstance(request, Recap):
        return f"recap {since}"
    who = request.user if request.user in (None, ME) else f"<@{request.user}>"
    return _joined("audit", "all" if request.every else "", str(request.target or ""), who or "", since)


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)


def _typed_reason(reason: str) -> str:
    r"""Put a reason in double quotes where its beginning or a last backtick would be read as something else: with
    ``"`` and ``\`` behind a backslash then.
    """
    return _in_quotes(reason) if _QUOTED_FIRST.match(reason) or reason.endswith("`") else reason


def _in_quotes(reason: str) -> str:
    escaped = reason.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# ---------------------------------------------------------------- filter words
# Read the filters of `/flows list`: ``flow:"Support line" type:call older:10m page:2``.
#
# What does not fit is refused with a corrected line to choose, never bent into something that fits.

GROUPS: Final[tuple[By, ...]] = ("flow", "action")
SORTS: Final[tuple[Sort, ...]] = ("worst", "oldest", "newest")
STATUSES: Final = ("running", "ended", "any")
TYPES: Final = ("call", "conversation", "campaign", "transcribe", "ai", "api", "recording", "webchat", "none")
"""VoIPBIN's reference types; ``none`` for activeflows without one."""
KEYS: Final[Mapping[str, str]] = {
    "flow": "a flow's name or id",
    "type": "what it runs for",
    "action": "the action it is in",
    "is": ", ".join((*DOING, *WRONG)),
    "status": ", ".join(STATUSES),
    "older": "a duration like 10m",
    "newer": "a duration like 2h",
    "sort": ", ".join(SORTS),
    "page": "a number",
}
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "name": "flow",
    "reference": "type",
    "reference_type": "type",
    "step": "action",
    "state": "status",
    "doing": "is",
    "order": "sort",
    "age": "older",
    "since": "newer",
    "p": "page",
}


class _Choice(NamedTuple):
    """A filter whose value is one of some words; ``aliases`` are suggested, not taken."""

    key: str
    words: tuple[str, ...]
    aliases: Mapping[str, str]


_STATUSES: Final = _Choice(
    "status",
    STATUSES,
    {
        "all": "any",
        "everything": "any",
        "active": "running",
        "live": "running",
        "finished": "ended",
        "stopped": "ended",
        "done": "ended",
        "over": "ended",
    },
)
_TYPES: Final = _Choice("type", TYPES, {"calls": "call", "phone": "call", "chat": "webchat", "message": "conversation"})
ACTIONS: Final = tuple(
    dict.fromkeys([*WORDS, *(row_words(kind).casefold() for kind in (*KINDS, *(f"action.{type_}" for type_ in WORDS)))])
)
"""VoIPBIN's types, and the words of a list for what is done."""
_ACTIONS: Final = _Choice(
    "action",
    ACTIONS,
    {"queue": "queue_join", "waiting": "queue_join"},
)
_STATES: Final = _Choice(
    "is",
    (*DOING, *WRONG),
    {
        "queued": "waiting",
        "in-queue": "waiting",
        "agent": "with-agent",
        "talking": "with-agent",
        "ai": "with-ai",
        "conference": "in-conference",
        "new": "starting",
        "never-started": "stuck",
        "loop": "looping",
        "loops": "looping",
        "steps": "low-on-steps",
        "stale": "left-over",
        "leftover": "left-over",
        "bad": "wrong",
    },
)
_SORTS: Final = _Choice(
    "sort", SORTS, {"age": "oldest", "old": "oldest", "new": "newest", "bad": "worst", "wrong": "worst"}
)
_LONGEST_NAME: Final = 255
_LAST_PAGE: Final = 9999


def closest(word: str, choices: Sequence[str], *, at_least: float = 0.6) -> str | None:
    """Return the choice that begins so or looks most like this word, if any does."""
    low = word.casefold()
    begins = next((choice for choice in choices if len(low) >= 3 and choice.startswith(low)), None)
    if begins is not None:
        return begins
    found = get_close_matches(low, choices, n=1, cutoff=at_least)
    return found[0] if found else None


def read_listing(words: Sequence[Word]) -> List:
    """Return the list these words ask for. Raises ``NotUnderstood`` with a line that comes closer."""
    listing, given = List(), set[str]()
    for index, word in enumerate(words):
        rest = " ".join(later.written for later in words[index + 1 :])
        key, separator, _ = _split(word.text)
        if not separator:
            raise _bare(word, listing, words[index - 1] if index else None, rest)
        key = key.casefold()
        value = unquoted(word.written[len(key) + 1 :])
        if key not in KEYS:
            raise _unknown_key(key, word, listing, rest)
        if separator != ":":
            raise _closer(f"“{key}” takes a colon, not “{separator}”", listing, f"{key}:{_quoted(value)}", rest)
        if key in given:
            raise _closer(f"“{key}:” is given twice", _without(listing, key), word.written, rest)
        if not cleaned(value):
            raise _closer(f"“{key}:” needs {KEYS[key]}", listing, _joined_to(key, rest))
        given.add(key)
        listing = _READERS[key](listing, cleaned(value), rest)
    _possible(listing)
    return listing


def filter_key(word: Word) -> str:
    """Return what stands before the colon of a word that looks like a filter, in small letters; empty for any other
    word.
    """
    key, separator, _ = _split(word.text)
    return key.casefold() if separator else ""


def read_groups(words: Sequence[Word]) -> List:
    """Read ``by flow`` or ``by action``, and then filters. Raises ``NotUnderstood``."""
    what = words[1].text.casefold() if len(words) > 1 else ""
    by = next((known for known in GROUPS if known == what), None)
    if by is None:
        better = " ".join(("list by", closest(what, GROUPS) or "flow", *(word.written for word in words[2:])))
        raise NotUnderstood(f"a list can be grouped by {' or by '.join(GROUPS)}", better)
    try:
        listing = read_listing(words[2:])
    except NotUnderstood as refused:
        problem, better = refused.problem, refused.suggestion
    else:
        if listing.sort is None:
            return replace(listing, by=by)
        problem, better = "counts have the largest first. Leave out sort:", typed(replace(listing, sort=None))
    raise NotUnderstood(problem, better.replace("list", f"list by {by}", 1) if better.startswith("list") else "")


def _split(text: str) -> tuple[str, str, str]:
    """Split a word at the first of ``:``, ``=``, ``<`` and ``>``, unless quotes come first."""
    at = min((place for place in map(text.find, (*":=<>", '"')) if place >= 0), default=len(text))
    return text[:at], text[at : at + 1].replace('"', ""), text[at + 1 :]


# ---------------------------------------------------------------- values


def _flow(listing: List, value: str, rest: str) -> List:
    if len(value) > _LONGEST_NAME:
        raise _closer("that flow name is too long", listing, rest)
    return _with(listing, flow=value)


def _type(listing: List, value: str, rest: str) -> List:
    return _with(listing, type=_one_of(_TYPES, listing, value, rest))


def _action(listing: List, value: str, rest: str) -> List:
    return _with(listing, action=_one_of(_ACTIONS, listing, value, rest))


def _is(listing: List, value: str, rest: str) -> List:
    return _with(listing, state=_one_of(_STATES, listing, value, rest))


def _sort(listing: List, value: str, rest: str) -> List:
    word = _one_of(_SORTS, listing, value, rest)
    return replace(listing, sort=next(sort for sort in SORTS if sort == word))


def _status(listing: List, value: str, rest: str) -> List:
    return _with(listing, status=_one_of(_STATUSES, listing, value, rest))


def _one_of(choice: _Choice, listing: List, value: str, rest: str) -> str:
    word = plain(value).casefold()
    if word in choice.words:
        return word
    nearest = choice.aliases.get(word) or closest(word, choice.words)
    few = f". Use one of {', '.join(choice.words)}" if len(choice.words) < 12 else ""
    better = f"{choice.key}:{_quoted(nearest)}" if nearest else ""
    raise _closer(f"unknown {choice.key} “{_short(value)}”{few}", listing, better, rest)


def _older(listing: List, value: str, rest: str) -> List:
    return _with(listing, older=_duration("older", listing, value, rest))


def _newer(listing: List, value: str, rest: str) -> List:
    return _with(listing, newer=_duration("newer", listing, value, rest))


def _duration(key: str, listing: List, value: str, rest: str) -> timedelta:
    bare = plain(value)
    found = from_typed(bare)
    if found is None:
        nearest = from_typed(bare + "m") or from_typed(bare.rstrip("inursecaygo").strip())
        better = f"{key}:{as_typed(nearest)}" if nearest is not None else ""
        raise _closer(f"“{_short(value)}” is not a duration like 90s, 10m, 2h or 3d", listing, better, rest)
    return found


def _page(listing: List, value: str, rest: str) -> List:
    number = plain(value)
    if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) <= _LAST_PAGE):
        raise _closer(f"“{_short(value)}” is not a page number", listing, rest)
    return replace(listing, page=int(number))


_READERS: Final[Mapping[str, Callable[[List, str, str], List]]] = {
    "flow": _flow,
    "type": _type,
    "action": _action,
    "is": _is,
    "status": _status,
    "older": _older,
    "newer": _newer,
    "sort": _sort,
    "page": _page,
}


def _possible(listing: List) -> None:
    older, newer = listing.filters.older, listing.filters.newer
    if older is not None and newer is not None and older > newer:
        swapped = _with(listing, older=newer, newer=older)
        problem = f"nothing is both older than {as_typed(older)} and newer than {as_typed(newer)}"
        raise NotUnderstood(problem, typed(swapped))


# ---------------------------------------------------------------- what comes closer


def _bare(word: Word, listing: List, before: Word | None, rest: str) -> NotUnderstood:
    """Refuse a word without a key: say which key it might belong to."""
    value = unquoted(word.written)
    low = plain(value).casefold()
    problem = f"“{_short(value)}” is not a filter. Filters look like type:call or older:10m"
    if before is not None and before.text.casefold().startswith("flow:") and '"' not in before.text:
        name = f"{listing.filters.flow} {value}"
        return _closer(problem, _without(listing, "flow"), f"flow:{_quoted(name)}", rest)
    for choice in (_STATUSES, _TYPES, _STATES, _ACTIONS, _SORTS):
        nearest = choice.aliases.get(low) or closest(low, choice.words, at_least=0.85)
        if nearest:
            return _closer(problem, listing, f"{choice.key}:{_quoted(nearest)}", rest)
    if from_typed(low) is not None:
        return _closer(problem, listing, f"older:{low}", rest)
    return _closer(problem, listing, f"flow:{_quoted(value)}", rest)


def _unknown_key(key: str, word: Word, listing: List, rest: str) -> NotUnderstood:
    nearest = _OTHER_WORDS.get(key) or closest(key, tuple(KEYS))
    problem = f"unknown filter “{_short(key)}:”. Filters: {', '.join(f'{known}:' for known in KEYS)}"
    better = f"{nearest}:{word.written[len(key) + 1 :]}" if nearest else ""
    return _closer(problem, listing, better, rest)


def _closer(problem: str, listing: List, *words: str) -> NotUnderstood:
    """Refuse a line, with a line that keeps what was understood; ``table.parse`` corrects the rest of it in turn."""
    return NotUnderstood(problem, " ".join(word for word in (typed(listing), *words) if word))


def _joined_to(key: str, rest: str) -> str:
    """Join ``older: 10m``: the value is the next word."""
    return f"{key}:{rest}" if rest and ":" not in rest.split(maxsplit=1)[0] else rest


def _with(listing: List, **changes: Any) -> List:
    return replace(listing, filters=replace(listing.filters, **changes))


def _without(listing: List, key: str) -> List:
    if key == "page":
        return replace(listing, page=1)
    if key == "sort":
        return replace(listing, sort=None)
    return _with(listing, **{"state" if key == "is" else key: "running" if key == "status" else None})


def _quoted(value: str) -> str:
    return _in_quotes(value) if " " in value or '"' in value or "\\" in value else value


def _short(word: str) -> str:
    return word if len(word) <= 40 else word[:39] + "…"


# ---------------------------------------------------------------- bulk words
# Read the words after `stop all`: filters first, at least one, then the reason.
#
# Decisions: the first word that does not look like a filter begins the reason. A filter that stands behind it is
# refused, not read past: a list that is longer than it was meant is the one mistake that cannot be undone. A reason
# that looks like a filter stands in quotes.

_ASKS: Final = "stop all of which? Give at least one filter: flow:, type:, is:, action:, older: or newer:"


def read_stop_all(words: Sequence[Word], line: str, *, longest_reason: int) -> StopAll:
    """Return the bulk stop that these words of the line ask for. Raises ``NotUnderstood`` with a line that comes
    closer.
    """
    count = _filters_first(words)
    filters, rest = words[:count], line[words[count - 1].end :].strip() if count else line.strip()
    listing = _read(filters, words, rest)
    bulk = StopAll(listing.filters, _reason(rest))
    _check(bulk, listing, words[count:], rest, longest_reason)
    return bulk


def _filters_first(words: Sequence[Word]) -> int:
    """Return how many words from the first on are filters; `older: 10m` counts as two, so that it is corrected as
    one.
    """
    for count, word in enumerate(words):
        begun = count > 0 and filter_key(words[count - 1]) and words[count - 1].text.endswith(":")
        if not filter_key(word) and not begun:
            return count
    return len(words)


def _read(filters: Sequence[Word], words: Sequence[Word], rest: str) -> List:
    if not words:
        raise NotUnderstood(_ASKS, "list")
    try:
        return read_listing(filters or words[:1])
    except NotUnderstood as refused:
        better = refused.suggestion.removeprefix("list").strip()
        kept = rest if filters else rest[words[0].end :].strip()
        raise NotUnderstood(refused.problem, f"stop all {better} {kept}".strip()) from None


def _reason(rest: str) -> str:
    return without_mentions(unquoted(rest).strip())


def _check(bulk: StopAll, listing: List, later: Sequence[Word], rest: str, longest: int) -> None:
    if listing.sort is not None:
        raise NotUnderstood("a bulk stop takes all that match, the oldest first. Leave out sort:", typed(bulk))
    if listing.page > 1:
        raise NotUnderstood("a bulk stop takes every page. Leave out page:", typed(bulk))
    if bulk.filters.status != "running":
        running = replace(bulk.filters, status="running")
        raise NotUnderstood("only running activeflows can be stopped", typed(StopAll(running, bulk.reason)))
    if not bulk.filters.words():
        raise NotUnderstood(_ASKS, "list")
    misplaced = next((word for word in later if filter_key(word) in KEYS), None)
    if misplaced is not None and unquoted(rest) == rest:
        others = " ".join(word.written for word in later if word is not misplaced)
        better = f"stop all {bulk.filters.words()} {misplaced.written} {others}".strip()
        raise NotUnderstood("put filters before the reason, and quote a reason that looks like a filter", better)
    if len(bulk.reason) > longest:
        shorter = typed(StopAll(bulk.filters, bulk.reason[:longest].strip()))
        raise NotUnderstood(f"the reason is too long: at most {longest} characters", shorter)
