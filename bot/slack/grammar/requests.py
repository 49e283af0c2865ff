"""Hold what a person can ask for, as values, and each as one would type it."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from bot.activeflows.model import as_typed
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.listing import By, Place, Sort
from bot.activeflows.queries.resolution import Target
from bot.slack.grammar.normalization import SEPARATORS

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
    """The request as one would type it after the command's name: ``list flow:"Support line" page:2``."""
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
            return _joined("stop", str(target), "now" if now else "", _reason(reason))
        case StopAll(filters, reason):
            return _joined(
                "stop all", filters.words(), _quoted(reason) if _LIKE_A_FILTER.search(reason) else _reason(reason)
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


def _reason(reason: str) -> str:
    r"""In double quotes where its beginning would be read as something else; ``"`` and ``\`` get a backslash then."""
    return _quoted(reason) if _QUOTED_FIRST.match(reason) else reason


def _quoted(reason: str) -> str:
    escaped = reason.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
