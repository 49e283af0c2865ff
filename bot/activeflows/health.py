"""Hold what one look at each thing the bot needs has found, in words, and run ``/flows doctor``.

A finding is for people: plain text without a secret, a phone number or an id of somebody else. What a look raises
becomes a finding, too: whoever asks what is broken is told, and nothing hides the other looks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from bot.activeflows.errors import Failure
from bot.activeflows.operators import Operator, Permission


class HealthState(StrEnum):
    """In the words that people read."""

    OK = "ok"
    WARNING = "warning"
    """It works, but not as it should, or not for long; or it did not answer, so that nothing is known."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one thing found, and what to do about it (nothing to be done while it is ``OK``)."""

    about: str
    state: HealthState
    what: str
    next: str = ""
    disabling: bool = False
    """While it is so no press can do anything, until somebody does something about it."""
    until: datetime | None = None
    """When it ends, of what does."""


Look: TypeAlias = Callable[[], Awaitable[Finding]]


async def looked(
    looks: Mapping[str, Look], *, within: float, unanswered: HealthState = HealthState.WARNING
) -> tuple[Finding, ...]:
    """Take all looks at once, each given ``within`` seconds, by what they are about and in their order."""
    return tuple(await asyncio.gather(*(_found(about, look, within, unanswered) for about, look in looks.items())))


async def _found(about: str, look: Look, within: float, unanswered: HealthState) -> Finding:
    try:
        async with asyncio.timeout(within):
            return await look()
    except TimeoutError:
        return Finding(about, unanswered, f"did not answer within {within:g} s", "Ask again: it may only be slow.")
    except Failure as trouble:
        return Finding(
            about, HealthState.BROKEN, trouble.what, "Ask again; if it stays so, tell whoever looks after this bot."
        )
    except Exception as trouble:  # noqa: BLE001 - a look that breaks is a finding
        what = f"could not be looked at ({type(trouble).__name__})"
        return Finding(about, HealthState.BROKEN, what, "Tell whoever looks after this bot.")


def worst(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return one finding about each thing: of several the worst, and of equally bad ones the last."""
    found: dict[str, Finding] = {}
    for finding in findings:
        before = found.get(finding.about)
        if before is None or _badness(finding) >= _badness(before):
            found[finding.about] = finding
    return tuple(found.values())


def _badness(finding: Finding) -> tuple[bool, int]:
    return finding.disabling, list(HealthState).index(finding.state)


def report(findings: Iterable[Finding], since: Mapping[str, datetime], began: datetime | None) -> dict[str, Any]:
    """Report for machines: ``missing`` is what makes the bot not ready, ``warnings`` the rest that is not well.

    ``since``: when each became so; ``began``: when it became ready, or not.
    """
    missing: list[dict[str, str]] = []
    warnings: list[dict[str, str]] = []
    for finding in findings:
        if finding.state is HealthState.OK:
            continue
        said = {"what": finding.about, "why": finding.what, **({"next": finding.next} if finding.next else {})}
        if finding.about in since:
            said["since"] = since[finding.about].isoformat(timespec="seconds")
        (missing if finding.disabling else warnings).append(said)
    return {
        "ready": not missing,
        **({"since": began.isoformat(timespec="seconds")} if began else {}),
        "missing": missing,
        **({"warnings": warnings} if warnings else {}),
    }


# ---------------------------------------------------------------- diagnosis
# Run ``/flows doctor``: is everything this bot needs working?
#
# Decision: whoever may view here is told everything, because it is what a list or a stop stands on; whoever may not is
# told that the bot is alive, and that they may nothing. Each look gets so long that the answer comes before anybody has
# to be told to wait; of what has not answered by then it says that.

WITHIN: Final = 1.7
"""Seconds for each look."""


class Diagnosis:
    """``looks``: what there is to look at for somebody in this channel."""

    def __init__(self, looks: Callable[[str], Mapping[str, Look]], *, within: float = WITHIN) -> None:
        self._looks, self._within = looks, within

    async def examine(self, operator: Operator) -> tuple[Finding, ...]:
        """Return what every look found. Raises ``NotPermitted`` before anything is looked at."""
        operator.require(Permission.VIEW)
        return await looked(self._looks(operator.channel), within=self._within)
