"""Run ``flows-bot audit verify | export | prune``: the record, in the hands of somebody at the bot's database."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic_settings import CliApp, CliSubCommand


class Verify(BaseModel):
    """Walk the audit chain; say every record that was changed, removed or inserted. Status 1 if there is one.

    With heads that the bot told on earlier days, a removed end shows, too.
    """

    head: Annotated[
        list[str], Field(description="A head as the bot told it, <record>:<hash>; may be given many times.")
    ] = []
    heads: Annotated[
        Path | None, Field(description="A text with heads in it: the bot's log, or what was posted in the channel.")
    ] = None

    async def cli_cmd(self) -> None:
        from bot.terminal import audit_reading  # noqa: PLC0415 — the database; the other commands answer sooner

        sys.exit(0 if await audit_reading.verify(self.head, self.heads) else 1)


class Export(BaseModel):
    """Print the audit, oldest first: JSON lines with all there is, or CSV for a spreadsheet."""

    format: Annotated[Literal["jsonl", "csv"], Field(description="One JSON object a line, or CSV with a header.")] = (
        "jsonl"
    )
    since: Annotated[
        str,
        Field(description="From then on: 2026-08-20, 2026-08-20T03:00 (UTC unless it says), or 2h for 2 hours ago."),
    ] = ""
    until: Annotated[str, Field(description="Before then, in the same words.")] = ""

    async def cli_cmd(self) -> None:
        from bot.terminal import audit_reading  # noqa: PLC0415 — as above

        await audit_reading.export(self.format, self.since, self.until)


class Prune(BaseModel):
    """Cut the oldest records off the audit, for good; `verify` proves what stays. Export them before, if they may be
    asked for.

    The newest two days stay in any case, and what presses may need that are not over.
    """

    before: Annotated[str, Field(description="What is older goes: 2026-08-20, 2026-08-20T03:00 (UTC), or 90d.")]

    async def cli_cmd(self) -> None:
        from bot.terminal import audit_reading  # noqa: PLC0415 — as above

        await audit_reading.prune(self.before)


class Audit(BaseModel):
    """What was asked, decided and stopped: the record."""

    verify: CliSubCommand[Verify]
    export: CliSubCommand[Export]
    prune: CliSubCommand[Prune]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)
