"""Say why somebody should look at an activeflow, beside what it is doing."""

from collections.abc import Iterable
from typing import Final

from bot.activeflows.anomalies.anomaly import Reason, Trouble
from bot.activeflows.situation.current_step import Situation
from bot.slack.blocks.mrkdwn import bold, escaped

TROUBLE_WORDS: Final = {
    Reason.STUCK: "Stuck?",
    Reason.LOOPING: "Going round in circles",
    Reason.STEPS: "Nearly out of steps",
    Reason.STALE: "Left over?",
}


def look_words(troubles: Iterable[Trouble], situation: Situation) -> list[str]:
    """A line of mrkdwn each; what the situation says already, steps always, is not said twice."""
    kept = [trouble for trouble in troubles if trouble.reason is not Reason.STEPS]
    return [_line(trouble, said=trouble.words in situation.words) for trouble in kept]


def troubles_aloud(troubles: Iterable[Trouble]) -> list[str]:
    """The same as sentences, for the text that is read out."""
    return [f"{TROUBLE_WORDS[trouble.reason]} {escaped(trouble.words, 200)}." for trouble in troubles]


def _line(trouble: Trouble, *, said: bool) -> str:
    return bold(TROUBLE_WORDS[trouble.reason], 60) + ("" if said else f" {escaped(trouble.words, 200)}")
