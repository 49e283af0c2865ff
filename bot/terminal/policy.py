"""Run ``flows-bot policy check | explain``: the policy file, asked by the very code that decides a press."""

import re
import sys
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import CliApp, CliSubCommand, CliToggleFlag

from bot import logs
from bot.activeflows.operators import ANY_FLOW, AnyFlow, Decision, Operator, Permission, Person, Standing
from bot.activeflows.operators import Policy as Rulebook
from bot.misconfigured import Misconfigured
from bot.policy import parsed_policy
from bot.policy.advice import advice
from bot.policy.file import policy_text
from bot.policy.source_lines import line_of, places
from bot.settings import Settings, SomeSettings, from_environment

_STANDINGS: Final = {
    "member": Standing.MEMBER,
    "guest": Standing.GUEST,
    "stranger": Standing.STRANGER,
    "bot": Standing.BOT,
    "deactivated": Standing.DEACTIVATED,
}
_File = Annotated[Path | None, Field(description="The policy file; left out: FLOWS_BOT_POLICY.")]
_Flag = CliToggleFlag[bool]


class Check(BaseModel):
    """Read the policy file; say every mistake with its line, and what is probably not meant. Status 2 for a mistake."""

    file: _File = None

    def cli_cmd(self) -> None:
        path = self.file or _configured().flows_bot_policy
        if path is None:
            raise Misconfigured("FLOWS_BOT_POLICY is not set, so nobody can do anything. Set it, or give --file.")
        policy = parsed_policy(policy_text(path), name=path.name)
        counts = [_counted(len(policy.grants), "grant")]
        counts += [_counted(len(policy.alerts), "alert rule")] if policy.alerts else []
        print(f"{path.name}: {', '.join(counts)}, no mistakes")
        for line in advice(policy):
            print(f"{path.name}: is it meant that {line}?")


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
        logs.configure("console", "ERROR")
        flow = self._checked()
        path = self.file or _configured().flows_bot_policy
        text = policy_text(path) if path else ""
        policy = parsed_policy(text, name=path.name) if path else Rulebook()
        permission = Permission(self.may)
        operator = self._by_hand(policy) or await self._stated(policy, permission)
        decision = operator.decide(permission, flow)
        print(f"{_who(operator)}, in {operator.channel}, “{self.may}”{_flow_words(flow)}:")
        if decision.allowed:
            line = line_of(places(text), ("grant", (decision.grant or 1) - 1))
            print(f"{decision.because}{f' ({path.name}:{line})' if path and line else ''}")
        else:
            _say_refusal(decision)
        sys.exit(0 if decision.allowed else 1)

    def _checked(self) -> UUID | AnyFlow | None:
        """The flow; ``None``: an activeflow without one. Raises ``Misconfigured``."""
        mistakes = []
        for option, words, form in (
            ("--user", [self.user], "[UW][A-Z0-9]{2,31}"),
            ("--channel", [self.channel], "[CGD][A-Z0-9]{2,31}"),
            ("--group", self.group, "S[A-Z0-9]{2,31}"),
        ):
            if not all(re.fullmatch(form, word) for word in words):
                mistakes.append(f"{option}: an id of Slack's is wanted, not a name.")
        if self.flow not in ("", "none") and not re.fullmatch(
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", self.flow
        ):
            mistakes.append('--flow: the id of a flow (a UUID), or "none".')
        if mistakes:
            raise Misconfigured(*mistakes)
        return {"": ANY_FLOW, "none": None}[self.flow] if self.flow in ("", "none") else UUID(self.flow)

    def _by_hand(self, policy: Rulebook) -> Operator | None:
        """As the options say; ``None`` when they say nothing about the person."""
        said = [standing for name, standing in _STANDINGS.items() if getattr(self, name)]
        if len(said) > 1 or (self.group and said not in ([], [Standing.MEMBER])):
            raise Misconfigured(
                f"Only one of {', '.join(f'--{name}' for name in _STANDINGS)}; --group only for a member."
            )
        if not said and not self.group:
            return None
        groups = frozenset(self.group) & policy.groups()
        return Operator(Person(self.user, said[0] if said else Standing.MEMBER, groups), self.channel, policy)

    async def _stated(self, policy: Rulebook, permission: Permission) -> Operator:
        """As Slack states it now. Raises ``Misconfigured``."""
        from bot.terminal.slack_lookup import stated  # noqa: PLC0415 — all of Slack; what asks nobody answers sooner

        settings = _configured()
        token = settings.slack_bot_token.get_secret_value()
        if not token:
            raise Misconfigured(
                f"SLACK_BOT_TOKEN is not set, so Slack cannot be asked who {self.user} is: say --member or --guest, and "
                "--group."
            )
        return await stated(self.user, self.channel, policy, permission, token=token, api_url=settings.slack_api_url)


class Policy(BaseModel):
    """Who may do what: check the file, or ask it."""

    check: CliSubCommand[Check]
    explain: CliSubCommand[Explain]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _who(operator: Operator) -> str:
    person = operator.person
    groups = f", in {', '.join(sorted(person.groups))}" if person.groups else ""
    return f"{person.id}, {person.standing}{groups}"


def _flow_words(flow: UUID | AnyFlow | None) -> str:
    if flow is ANY_FLOW:
        return ", for any flow at all"
    return f", for flow {flow}" if flow is not None else ", for an activeflow without a flow"


def _say_refusal(decision: Decision) -> None:
    print(f"refused: {decision.because}")
    if decision.who_may:
        print(f"who may here: {', '.join(decision.who_may)}")


class _Configured(SomeSettings):
    """What asking the policy needs."""

    flows_bot_policy: Path | None = None
    slack_bot_token: SecretStr = Settings.model_fields["slack_bot_token"].default
    slack_bot_token_file: Path | None = None
    slack_api_url: str = Settings.model_fields["slack_api_url"].default


def _configured() -> _Configured:
    return from_environment(_Configured)
