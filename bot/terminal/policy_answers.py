"""Answer ``flows-bot policy check | explain``. Apart from ``policy``, so that the other commands answer sooner."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from pydantic import Field, SecretStr

from bot.activeflows.operators import ANY_FLOW, AnyFlow, Decision, Operator, Permission, Person, Standing
from bot.activeflows.operators import Policy as Rulebook
from bot.misconfigured import Misconfigured
from bot.network import Proxy
from bot.policy import parsed_policy
from bot.policy.advice import advice
from bot.policy.file import policy_text
from bot.policy.source_lines import line_of, places
from bot.settings import Settings, SomeSettings, from_environment

if TYPE_CHECKING:
    from bot.terminal.policy import Explain


_STANDINGS: Final = {
    "member": Standing.MEMBER,
    "guest": Standing.GUEST,
    "stranger": Standing.STRANGER,
    "bot": Standing.BOT,
    "deactivated": Standing.DEACTIVATED,
}


def check(file: Path | None) -> None:
    """Print what is in the file, and what is probably not meant. Raises ``Misconfigured``."""
    path = file or _configured().flows_bot_policy
    if path is None:
        raise Misconfigured("FLOWS_BOT_POLICY is not set, so nobody can do anything. Set it, or give --file.")
    policy = parsed_policy(policy_text(path), name=path.name)
    counts = [_counted(len(policy.grants), "grant")]
    counts += [_counted(len(policy.alerts), "alert rule")] if policy.alerts else []
    print(f"{path.name}: {', '.join(counts)}, no mistakes")
    for line in advice(policy):
        print(f"{path.name}: is it meant that {line}?")


async def explain(asked: "Explain") -> bool:
    """Print the decision, and why; whether it is allowed. Raises ``Misconfigured``."""
    from bot import logs  # noqa: PLC0415 — `policy check` logs nothing, and answers sooner

    logs.configure("console", "ERROR")
    flow = _checked(asked)
    path = asked.file or _configured().flows_bot_policy
    text = policy_text(path) if path else ""
    policy, account = _of_account(parsed_policy(text, name=path.name) if path else Rulebook(), asked)
    permission = Permission(asked.may)
    operator = _by_hand(asked, policy) or await _stated(asked, policy, permission)
    decision = operator.decide(permission, flow)
    print(f"{_who(operator)}, in {operator.channel}, “{asked.may}”{_flow_words(flow)}{account}:")
    if decision.allowed:
        line = line_of(places(text), ("grant", (decision.grant or 1) - 1))
        print(f"{decision.because}{f' ({path.name}:{line})' if path and line else ''}")
    else:
        _say_refusal(decision)
    return decision.allowed


def _of_account(policy: Rulebook, asked: "Explain") -> tuple[Rulebook, str]:
    """Return what counts for the account that is meant, and words for which. Raises ``Misconfigured``."""
    known = sorted(policy.names())
    if asked.account and asked.account not in known:
        near = get_close_matches(asked.account, known, n=1)
        raise Misconfigured(
            f"--account: the policy names no such account.{f' Did you mean {near[0]}?' if near else ''}"
        )
    account = asked.account or policy.account_in(asked.channel)
    return policy.of(account), f", account {account}" if account else ""


def _checked(asked: "Explain") -> UUID | AnyFlow | None:
    """Return the flow; ``None``: an activeflow without one. Raises ``Misconfigured``."""
    mistakes = []
    for option, words, form in (
        ("--user", [asked.user], "[UW][A-Z0-9]{2,31}"),
        ("--channel", [asked.channel], "[CGD][A-Z0-9]{2,31}"),
        ("--group", asked.group, "S[A-Z0-9]{2,31}"),
    ):
        if not all(re.fullmatch(form, word) for word in words):
            mistakes.append(f"{option}: an id of Slack's is wanted, not a name.")
    if asked.flow not in ("", "none") and not re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", asked.flow
    ):
        mistakes.append('--flow: the id of a flow (a UUID), or "none".')
    if mistakes:
        raise Misconfigured(*mistakes)
    return {"": ANY_FLOW, "none": None}[asked.flow] if asked.flow in ("", "none") else UUID(asked.flow)


def _by_hand(asked: "Explain", policy: Rulebook) -> Operator | None:
    """Build the operator as the options say; ``None`` when they say nothing about the person."""
    said = [standing for name, standing in _STANDINGS.items() if getattr(asked, name)]
    if len(said) > 1 or (asked.group and said not in ([], [Standing.MEMBER])):
        raise Misconfigured(f"Only one of {', '.join(f'--{name}' for name in _STANDINGS)}; --group only for a member.")
    if not said and not asked.group:
        return None
    groups = frozenset(asked.group) & policy.groups()
    return Operator(Person(asked.user, said[0] if said else Standing.MEMBER, groups), asked.channel, policy)


async def _stated(asked: "Explain", policy: Rulebook, permission: Permission) -> Operator:
    """Build the operator as Slack states it now. Raises ``Misconfigured``."""
    from bot.terminal.slack_lookup import stated  # noqa: PLC0415 — all of Slack; what asks nobody answers sooner

    settings = _configured()
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        raise Misconfigured(
            f"SLACK_BOT_TOKEN is not set, so Slack cannot be asked who {asked.user} is: say --member or --guest, and "
            "--group."
        )
    return await stated(
        asked.user,
        asked.channel,
        policy,
        permission,
        token=token,
        api_url=settings.slack_api_url,
        proxy=Proxy(settings.https_proxy, settings.no_proxy),
        ca_file=settings.slack_ca_file,
    )


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
    slack_ca_file: Path | None = None
    https_proxy: Annotated[str, Field(repr=False)] = ""
    no_proxy: str = ""
    slack_api_url: str = Settings.model_fields["slack_api_url"].default


def _configured() -> _Configured:
    return from_environment(_Configured)
