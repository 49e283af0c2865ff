"""Draw what the doctor found: of each thing its state, and what to do about it.

Decision: the state is a word and nothing else, so that it is read alike by eyes of every kind and by ears.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.activeflows.health import Finding, State
from bot.activeflows.operators import Decision
from bot.slack import kit
from bot.slack.blocks.mrkdwn import bold, code, date_token, escaped, mentions, with_date_tokens
from bot.slack.messaging.messenger import Message


def doctor(findings: Sequence[Finding], now: datetime, *, command: str) -> Message:
    """For whoever may view here, and for their eyes alone."""
    verdict = in_short(findings)
    small = f"as of {date_token(now)} · your permissions: {code(f'{command} whoami')}"
    blocks = [
        kit.header("Is everything this bot needs working?"),
        kit.section(bold(verdict)),
        *(kit.section(line(finding)) for finding in findings),
        kit.context(small),
    ]
    aloud = [f"{escaped(each.about)} is {each.state}: {escaped(each.what, 300)}." for each in troubled(findings)]
    return Message(" ".join([f"{verdict}.", *aloud]), tuple(blocks))


def alive(decision: Decision, *, command: str) -> Message:
    """For whoever may not view here."""
    asked = mentions(decision.who_may)
    ask = f" You can ask {asked}." if asked else ""
    words = (
        f"I am alive and connected to Slack. The rest is for people who can see activeflows here, and you "
        f"can't: {escaped(decision.because, 600)}.{ask} Your permissions: {code(f'{command} whoami')}"
    )
    return Message(words, (kit.section(words),))


def in_short(findings: Sequence[Finding]) -> str:
    """As in "All is well", "1 broken, 2 warnings"."""
    broken = sum(1 for finding in findings if finding.state is State.BROKEN)
    warnings = sum(1 for finding in findings if finding.state is State.WARNING)
    counted = [f"{broken} broken"] if broken else []
    counted += ["1 warning" if warnings == 1 else f"{warnings} warnings"] if warnings else []
    return ", ".join(counted) or "All is well"


def line(finding: Finding) -> str:
    """As in "*warning* · event stream · down since …", and below it what to do next."""
    what = with_date_tokens(escaped(finding.what, 800))
    said = f"{bold(finding.state)} · {escaped(finding.about)} · {what}"
    return f"{said}\n{escaped(finding.next, 400)}" if finding.next else said


def troubled(findings: Sequence[Finding]) -> list[Finding]:
    """Those that are not well, broken ones first."""
    return [each for state in (State.BROKEN, State.WARNING) for each in findings if each.state is state]
