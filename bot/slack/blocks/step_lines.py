"""Draw the steps of an activeflow, one a line, newest last, with when each began and how long it took.

A history is shortened in the middle before it comes here; what is left is spread over sections, so that nothing is cut at
Slack's 3,000 characters a section (https://docs.slack.dev/reference/block-kit/blocks/section-block).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from bot.activeflows.ages import in_words
from bot.activeflows.queries.details import Details, Timing
from bot.activeflows.situation.history import Done
from bot.slack import kit
from bot.slack.blocks.mrkdwn import date_token, escaped

_ROOM: Final = 2900
_UNTIMED: Final = {
    Timing.PARTLY: "Some times are not known: VoIPBIN's timeline has no event of those steps.",
    Timing.NOT_KEPT: "Times not known: VoIPBIN's timeline has no events of these steps.",
    Timing.LATE: "Times not known: VoIPBIN did not answer in time. *Refresh* asks again.",
    Timing.FAILED: "Times not known: VoIPBIN could not read its timeline. *Refresh* asks again.",
}


def step_lines(details: Details) -> Iterator[kit.Block]:
    """Sections with the steps, and in small words what is not known of their times."""
    ended = details.sight.activeflow.ended
    lines = [_done(done) for done in details.history]
    if details.present is not None:
        lines.append(_at_the_end(details.present) if ended else _now(details.present, details.as_of))
    if not lines:
        return
    for text in _packed(["*Steps*" if ended else "*Steps so far*", *lines]):
        yield kit.section(text)
    if details.timing in _UNTIMED:
        yield kit.context(_UNTIMED[details.timing])


def _done(done: Done) -> str:
    if done.left_out:
        return f"… {escaped(done.words, 150)}"
    if done.times == 1:
        return f"• {_words(done)}{_when(_time(done.began), _took(done))}"
    first, last = _time(done.began, "first "), _time(done.last, "last ")
    return f"• {_words(done)} ×{done.times}{_when(first, last, _took(done, ' in all'))}"


def _now(present: Done, as_of: datetime) -> str:
    lasting = "" if present.began is None else in_words(as_of - present.began)
    return f"▸ *Now:* {_words(present)}{_when(_time(present.began, 'since '), lasting)}"


def _at_the_end(present: Done) -> str:
    return f"▸ *At the end:* {_words(present)}{_when(_time(present.began), _took(present))}"


def _words(done: Done) -> str:
    return escaped(done.words, 150)


def _when(*parts: str) -> str:
    told = ", ".join(part for part in parts if part)
    return f" · {told}" if told else ""


def _took(done: Done, ending: str = "") -> str:
    return "" if done.took is None else in_words(done.took) + ending


def _time(when: datetime | None, before: str = "") -> str:
    return "" if when is None else before + date_token(when)


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """The lines as few texts, none longer than there is room for."""
    text = ""
    for line in lines:
        if text and len(text) + 1 + len(line) > _ROOM:
            yield text
            text = ""
        text = f"{text}\n{line}" if text else line
    yield text
