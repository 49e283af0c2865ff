"""Run ``flows-bot check``: look at everything the bot needs, as ``/flows doctor`` does, and carry out nothing.

Decision: not a bot started and stopped, because a starting bot takes over the stops that were cut off, and one of those
may be under way in the bot that runs beside this.
"""

import json
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from pydantic_settings import CliToggleFlag

from bot.activeflows.health import Finding, HealthState, looked, report
from bot.settings import Settings, from_environment, without_surprises

WITHIN: Final = 60.0
"""Seconds for each look: nobody in a channel waits, and what is slow is not yet wrong."""


class Check(BaseModel):
    """Is everything this bot needs working? Tries what the start does, and leaves nothing behind.

    Ends with 1 when the bot would not start, or presses would be useless; warnings alone are 0.
    """

    json_: Annotated[
        CliToggleFlag[bool],
        Field(alias="json", description="Say it for machines, as /readyz does, with all findings."),
    ] = False

    async def cli_cmd(self) -> None:
        from bot import logs  # noqa: PLC0415 — half the bot; the other commands answer sooner
        from bot.terminal.checks import looks  # noqa: PLC0415

        without_surprises()
        settings = from_environment(Settings)
        logs.configure(settings.flows_bot_log_format, "ERROR")
        async with AsyncExitStack() as stack:
            found = await looked(await looks(settings, stack), within=WITHIN, unanswered=HealthState.BROKEN)
        findings = tuple(map(_judged, found))
        if self.json_:
            print(json.dumps(_for_machines(findings), ensure_ascii=False, indent=2))
        for finding in () if self.json_ else findings:
            print(f"{_word(finding)} {finding.about}: {finding.what}")
            if finding.next:
                print(f"        {finding.next}")
        sys.exit(1 if any(finding.disabling for finding in findings) else 0)


def _judged(finding: Finding) -> Finding:
    """Judge one look. What is broken before the start is not waited for: the start would end, or presses would be
    useless.

    But the ledger says by itself whether it can be used; records that somebody touched end no start.
    """
    disabling = finding.disabling or (
        finding.state is HealthState.BROKEN and finding.about not in {"ledger", "audit channel"}
    )
    return replace(finding, disabling=disabling)


def _word(finding: Finding) -> str:
    if finding.disabling:
        return "WRONG  "
    return "ok     " if finding.state is HealthState.OK else "WARNING"


def _for_machines(findings: Iterable[Finding]) -> dict[str, Any]:
    found = tuple(findings)
    each = [{"about": one.about, "state": str(one.state), "what": one.what, "next": one.next} for one in found]
    return report(found, {}, None) | {"findings": each}
