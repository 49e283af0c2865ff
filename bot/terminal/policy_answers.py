"""Answer ``flows-bot policy check | explain``. Apart from ``policy``, so that the other commands answer sooner."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from pydantic import Field, SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.activeflows.errors import Failure, IdentityUnknown
from bot.activeflows.health import Finding, State
from bot.activeflows.operators import ANY_FLOW, AnyFlow, Decision, Operator, Permission, Person, Policy, Standing
from bot.activeflows.operators import Policy as Rulebook
from bot.misconfigured import Misconfigured
from bot.network import Proxy
from bot.policy import parsed_policy
from bot.policy.advice import WrittenId, advice, written_ids
from bot.policy.file import policy_text
from bot.policy.source_lines import line_of, places
from bot.settings import Settings, SomeSettings, from_environment
from bot.slack import directory
from bot.slack.interaction import Interaction
from bot.slack.messaging.web_client import http_session, route, web_client
from bot.slack.people.identity import People
from bot.slack.people.installation import NotIntroduced, introduce
from bot.voipbin import VoIPBINClient

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
    """What counts for the account that is meant, and words for which. Raises ``Misconfigured``."""
    known = sorted(policy.names())
    if asked.account and asked.account not in known:
        near = get_close_matches(asked.account, known, n=1)
        raise Misconfigured(
            f"--account: the policy names no such account.{f' Did you mean {near[0]}?' if near else ''}"
        )
    account = asked.account or policy.account_in(asked.channel)
    return policy.of(account), f", account {account}" if account else ""


def _checked(asked: "Explain") -> UUID | AnyFlow | None:
    """The flow; ``None``: an activeflow without one. Raises ``Misconfigured``."""
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
    """As the options say; ``None`` when they say nothing about the person."""
    said = [standing for name, standing in _STANDINGS.items() if getattr(asked, name)]
    if len(said) > 1 or (asked.group and said not in ([], [Standing.MEMBER])):
        raise Misconfigured(f"Only one of {', '.join(f'--{name}' for name in _STANDINGS)}; --group only for a member.")
    if not said and not asked.group:
        return None
    groups = frozenset(asked.group) & policy.groups()
    return Operator(Person(asked.user, said[0] if said else Standing.MEMBER, groups), asked.channel, policy)


async def _stated(asked: "Explain", policy: Rulebook, permission: Permission) -> Operator:
    """As Slack states it now. Raises ``Misconfigured``."""
    from bot.terminal.policy_answers import stated  # noqa: PLC0415 — all of Slack; what asks nobody answers sooner

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


# ---------------------------------------------------------------- policy ids
# Look at every id in the policy file: does Slack or VoIPBIN know it? What is unknown is named with its line.

ABOUT: Final = "policy ids"
_THEN: Final = "Correct them: what is granted to, in or for an unknown id is granted to nobody."


async def look(path: Path | None, client: AsyncWebClient, voipbin: Sequence[VoIPBINClient]) -> Finding:
    """``voipbin``: each account that can be asked."""
    if path is None:
        return Finding(ABOUT, State.OK, "there is no policy file")
    try:
        text = policy_text(path)
        parsed_policy(text, name=path.name)
    except Misconfigured:
        return Finding(ABOUT, State.WARNING, "cannot be read: the policy has mistakes", "Repair the file.")
    written = written_ids(text)
    flows, others = [one for one in written if "-" in one.id], [one.id for one in written if "-" not in one.id]
    wrong = {**await directory.troubles(client, others), **await _flows(flows, voipbin)}
    if not wrong:
        return Finding(ABOUT, State.OK, f"all {len(written)} are known")
    lines = [f"{path.name}:{one.line}: {one.id}: {wrong[one.id]}." for one in written if one.id in wrong]
    return Finding(ABOUT, State.WARNING, " ".join(lines), _THEN)


async def _flows(flows: Sequence[WrittenId], voipbin: Sequence[VoIPBINClient]) -> Mapping[str, str]:
    found = await asyncio.gather(*(_flow(one.id, voipbin) for one in flows))
    return {one.id: why for one, why in zip(flows, found, strict=True) if why}


async def _flow(flow_id: str, voipbin: Sequence[VoIPBINClient]) -> str:
    """A flow is some account's; which one the grant is for is not looked at."""
    why = "" if voipbin else "cannot be checked, VoIPBIN is not configured"
    for account in voipbin:
        try:
            if await account.flow(UUID(flow_id)):
                return ""
        except Failure as trouble:
            why = f"cannot be checked, {trouble.what}"
    return why or "VoIPBIN has no flow with this id"


# ---------------------------------------------------------------- slack lookup
# Ask Slack who somebody is, without a bot.


async def stated(
    user: str,
    channel: str,
    policy: Policy,
    permission: Permission,
    *,
    token: str,
    api_url: str,
    proxy: Proxy,
    ca_file: Path | None,
) -> Operator:
    """This person there, as Slack states it now, as far as it decides about ``permission``. Raises
    ``Misconfigured``.
    """
    async with http_session() as session:
        try:
            client = web_client(token, api_url, session, route=route(proxy, ca_file))
        except OSError as trouble:
            raise Misconfigured(f"SLACK_CA_FILE: {type(trouble).__name__}.") from None
        try:
            people = People(client, await introduce(client), lambda: policy)
            return await people.asker(Interaction(user, "", channel), permission)
        except (NotIntroduced, IdentityUnknown) as trouble:
            raise Misconfigured(f"{trouble}.") from None
