"""Run ``flows-bot policy check | explain``: the policy file, asked by the very code that decides a press."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic_settings import CliApp, CliSubCommand, CliToggleFlag

_File = Annotated[Path | None, Field(description="The policy file; left out: FLOWS_BOT_POLICY.")]
_Flag = CliToggleFlag[bool]


class Check(BaseModel):
    """Read the policy file; say every mistake with its line, and what is probably not meant. Status 2 for a mistake."""

    file: _File = None

    def cli_cmd(self) -> None:
        from bot.terminal import policy_answers  # noqa: PLC0415 — what decides a press; the other commands answer sooner

        policy_answers.check(self.file)


class Explain(BaseModel):
    """May this person, in this channel, do this? Prints the grant, or the reason of the refusal. Status 0 or 1.

    Slack says what kind of account it is and in which user groups; or you do, and then nobody is asked.
    """

    user: Annotated[str, Field(description="Whose press it would be: U….")]
    channel: Annotated[str, Field(description="Where: C….")]
    may: Annotated[
        Literal["view", "stop", "bulk", "approve", "reveal", "audit"], Field(description="What they would do.")
    ]
    flow: Annotated[
        str,
        Field(description='To an activeflow of this flow (its id), or of "none"; left out: is there any flow at all?'),
    ] = ""
    account: Annotated[
        str,
        Field(description="Of several VoIPBIN accounts: for which; left out: the one that is meant in that channel."),
    ] = ""
    file: _File = None
    member: Annotated[_Flag, Field(description="It is a full member of the workspace; ask nobody.")] = False
    guest: Annotated[_Flag, Field(description="… a guest.")] = False
    stranger: Annotated[_Flag, Field(description="… from another workspace (Slack Connect).")] = False
    bot: Annotated[_Flag, Field(description="… a bot.")] = False
    deactivated: Annotated[_Flag, Field(description="… deactivated.")] = False
    group: Annotated[
        list[str], Field(description="… and in this user group (S…); only for a member; may be given many times.")
    ] = []

    async def cli_cmd(self) -> None:
        from bot.terminal import policy_answers  # noqa: PLC0415 — as above

        sys.exit(0 if await policy_answers.explain(self) else 1)


class Policy(BaseModel):
    """Who may do what: check the file, or ask it."""

    check: CliSubCommand[Check]
    explain: CliSubCommand[Explain]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)
