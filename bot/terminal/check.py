"""Run ``flows-bot check``: look at everything the bot needs, as ``/flows doctor`` does, and carry out nothing.

Decision: not a bot started and stopped, because a starting bot takes over the stops that were cut off, and one of those
may be under way in the bot that runs beside this.
"""

import json
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from pydantic_settings import CliToggleFlag

from bot import logs
from bot.activeflows.health import Finding, State, looked, report
from bot.settings import Settings, from_environment, without_surprises

WITHIN: Final = 60.0
"""Seconds for each look: nobody in a channel waits, and what is slow is not yet wrong."""
_WORDS: Final = {State.OK: "ok     ", State.WARNING: "WARNING", State.BROKEN: "WRONG  "}


class Check(BaseModel):
    """Is everything this bot needs working? Ends with status 1 when something is wrong."""

    json_: Annotated[
        CliToggleFlag[bool],
        Field(alias="json", description="Say it for machines, as /readyz does, with all findings."),
    ] = False

    async def cli_cmd(self) -> None:
        from bot.terminal.checks import looks  # noqa: PLC0415 — half the bot; the other commands answer sooner

        without_surprises()
        settings = from_environment(Settings)
        logs.configure(settings.flows_bot_log_format, "ERROR")
        async with AsyncExitStack() as stack:
            findings = await looked(await looks(settings, stack), within=WITHIN, unanswered=State.BROKEN)
        if self.json_:
            print(json.dumps(_for_machines(findings), ensure_ascii=False, indent=2))
        for finding in () if self.json_ else findings:
            print(f"{_WORDS[finding.state]} {finding.about}: {finding.what}")
            if finding.next:
                print(f"        {finding.next}")
        sys.exit(1 if any(finding.state is State.BROKEN for finding in findings) else 0)


def _for_machines(findings: Iterable[Finding]) -> dict[str, Any]:
    found = tuple(findings)
    each = [{"about": one.about, "state": str(one.state), "what": one.what, "next": one.next} for one in found]
    return report(found, {}, None) | {"findings": each}
