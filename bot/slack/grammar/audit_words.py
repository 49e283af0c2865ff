"""Read the words after `audit` (about one activeflow, by one person, within a time from now; in any order) and `recap`."""

from dataclasses import replace

from bot.activeflows.ages import from_typed
from bot.activeflows.errors import NotUnderstood
from bot.activeflows.targets import read_target
from bot.slack.grammar.normalization import Word, mentioned
from bot.slack.grammar.reference import EDGES, Line
from bot.slack.grammar.requests import ME, Audit, Recap, typed


def read_audit(line: Line) -> Audit:
    """The records that are asked for. Raises ``NotUnderstood``."""
    asked = Audit()
    for word in line.words:
        asked = _audited(asked, word, line)
    return asked


def read_recap(line: Line) -> Recap:
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
