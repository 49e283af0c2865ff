"""Draw the Home of one person with what is known of it so far.

Decisions: buttons here only read, because a stop is asked for in public; where to type it is said. What could not be
had is said where it would stand, and *Refresh* is always there, so that nobody is left before an empty page.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from bot.activeflows.errors import Failure
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.operators import ANY_FLOW, Decision, Operator, Permission, Reach, may_somewhere
from bot.activeflows.queries.audit_review import AllowedPress
from bot.activeflows.queries.home import Home, Overview
from bot.slack import ids, kit
from bot.slack.blocks.activeflow_list import counted, overview_blocks
from bot.slack.blocks.activeflow_parts import troubles_aloud
from bot.slack.blocks.audit_list import stop_line
from bot.slack.blocks.declined import places
from bot.slack.kit import bold, code, date_token, escaped, mention, mentions, with_date_tokens
from bot.slack.messaging.messenger import Message, marked_id

# ---------------------------------------------------------------- whoami
# Draw what a person may do here, and which grant of the policy gives it or would give it.

_MOST = 10


def whoami(operator: Operator) -> Message:
    """Draw every permission with its reason, for the person's own eyes."""
    decisions = [operator.decide(permission) for permission in Permission]
    lines = "\n".join(_line(decision, operator) for decision in decisions)
    blocks = [
        kit.header("What you can do here"),
        kit.section(_who(operator)),
        kit.section(lines),
    ]
    if not all(decision.allowed for decision in decisions):
        small = "Grants are numbered from the top of the bot's policy file."
        blocks.append(kit.context(small))
    allowed = [decision.permission.value for decision in decisions if decision.allowed]
    return Message(f"Here you can: {', '.join(allowed) or 'nothing'}.", tuple(blocks))


def _who(operator: Operator) -> str:
    person = operator.person
    groups = ", ".join(mention(group) for group in sorted(person.groups)[:_MOST])
    where = f", in {mention(operator.channel)}" if operator.channel else ""
    return f"You are {mention(person.id)}, {escaped(person.standing)}{f', in {groups}' if groups else ''}{where}."


def _line(decision: Decision, operator: Operator) -> str:
    word = bold(decision.permission.value)
    if decision.allowed:
        return f"{word}: yes, {escaped(decision.because)}{_limits(decision.permission, operator)}"
    asked = mentions(decision.who_may)
    because = escaped(decision.because[:1].upper() + decision.because[1:])
    return f"{word}: no. {because}" + (f". You can ask {asked}" if asked else "")


def _limits(permission: Permission, operator: Operator) -> str:
    """Say which flows, where every grant that fits is limited to some."""
    fitting = [
        grant
        for grant in operator.policy.grants
        if grant.fits(operator.channel, permission, ANY_FLOW) and grant.names(operator.person)
    ]
    if any(grant.flows is None for grant in fitting):
        return ""
    flows = sorted({flow.hex[:8] for grant in fitting for flow in grant.flows or ()})
    more = f" and {len(flows) - _MOST} more" if len(flows) > _MOST else ""
    return f", for the flows {', '.join(map(code, flows[:_MOST]))}{more} only"


# ---------------------------------------------------------------- doctor
# Draw what the doctor found: of each thing its state, and what to do about it.
#
# Decision: the state is a word and nothing else, so that it is read alike by eyes of every kind and by ears.


def doctor(findings: Sequence[Finding], now: datetime, *, command: str) -> Message:
    """Draw what the doctor found, for whoever may view here, and for their eyes alone."""
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
    """Say that the bot is alive, to whoever may not view here."""
    asked = mentions(decision.who_may)
    ask = f" You can ask {asked}." if asked else ""
    words = (
        f"I am alive and connected to Slack. The rest is for people who can see activeflows here, and you "
        f"can't: {escaped(decision.because, 600)}.{ask} Your permissions: {code(f'{command} whoami')}"
    )
    return Message(words, (kit.section(words),))


def in_short(findings: Sequence[Finding]) -> str:
    """Say it in short, as in "All is well", "1 broken, 2 warnings"."""
    broken = sum(1 for finding in findings if finding.state is HealthState.BROKEN)
    warnings = sum(1 for finding in findings if finding.state is HealthState.WARNING)
    counted = [f"{broken} broken"] if broken else []
    counted += ["1 warning" if warnings == 1 else f"{warnings} warnings"] if warnings else []
    return ", ".join(counted) or "All is well"


def line(finding: Finding) -> str:
    """Write one finding, as in "*warning* · event stream · down since …", and below it what to do next."""
    what = with_date_tokens(escaped(finding.what, 800))
    said = f"{bold(finding.state)} · {escaped(finding.about)} · {what}"
    return f"{said}\n{escaped(finding.next, 400)}" if finding.next else said


def troubled(findings: Sequence[Finding]) -> list[Finding]:
    """Return those that are not well, broken ones first."""
    return [each for state in (HealthState.BROKEN, HealthState.WARNING) for each in findings if each.state is state]


# ---------------------------------------------------------------- home

_COMING: Final = "Still loading. This page updates itself."
_MOST_ACCOUNTS: Final = 20
_REFRESH: Final = kit.actions(
    kit.button("Refresh", ids.HOME_REFRESH, "home", label="Refresh this page"), block_id=ids.HOME_REFRESH
)


def home_page(home: Home, now: datetime, *, command: str) -> Message:
    """Draw the Home for this person's eyes alone."""
    if home.operator is None:
        asking = f"I am asking Slack who you are. {_COMING}"
        return with_refresh(Message(asking, (kit.section(asking),)))
    if home.views is None:
        return _nothing(home.operator, command)
    blocks = [*_running(home, now, command), _REFRESH, kit.divider(), *_may(home.reaches, command)]
    blocks += [kit.divider(), *_stops(home.stops, command), *_mentioned(home.mentioned)]
    blocks += [kit.divider(), *_health(home, command)]
    return Message(_aloud(home), tuple(blocks))


def with_refresh(message: Message) -> Message:
    """Draw what stands in place of the page, with the button that tries again."""
    return Message(message.text, (*message.blocks, _REFRESH))


def with_accounts(message: Message, accounts: Collection[str]) -> Message:
    """Add a button for each VoIPBIN account, where there are several."""
    if len(accounts) < 2:
        return message
    shown = sorted(accounts)[:_MOST_ACCOUNTS]
    buttons = [kit.button(name, marked_id(ids.HOME_REFRESH, name), name, label=f"Show {name} here") for name in shown]
    block = kit.actions(*buttons, block_id="home.accounts")
    return Message(message.text, (*message.blocks, block))


# ---------------------------------------------------------------- what runs


def _running(home: Home, now: datetime, command: str) -> Iterator[kit.Block]:
    yield kit.header("What runs now")
    views, overview = home.views, home.overview
    if views is not None and not views.anywhere:
        here = code(f"{command} list")
        yield kit.section(f"You can view activeflows {places(views)}. Type {here} there.")
    elif isinstance(overview, Failure):
        yield kit.section(f"{bold('Not known right now')}: {escaped(overview.what, 300)}. Press Refresh to look again.")
    elif overview is None:
        yield kit.section(_COMING)
    else:
        yield from overview_blocks(overview, now, command=command)


# ---------------------------------------------------------------- who this is


def _may(reaches: tuple[Reach, ...], command: str) -> Iterator[kit.Block]:
    yield kit.header("What you can do")
    lines = [
        f"{bold(each.permission)}: {places(each)}{', certain flows only' if each.some_flows else ''}"
        for each in reaches
    ]
    yield kit.section("\n".join(lines))
    stops = may_somewhere(reaches, Permission.STOP)
    where = (
        f"To stop one, type {code(f'{command} stop <id>')} {places(stops)}. Everybody there sees the card. "
        if stops
        else ""
    )
    yield kit.context(f"{where}Why: {code(f'{command} whoami')}. All commands: {code(f'{command} help')}")


def _nothing(operator: Operator, command: str) -> Message:
    decision = operator.decide(Permission.VIEW)
    asked = mentions(decision.who_may)
    ask = f" You can ask {asked}." if asked else " To be added, ask whoever looks after this bot."
    because = f"*You have no permissions yet*: {escaped(decision.because, 600)}.{ask}"
    about = (
        "flows-bot shows the running VoIPBIN activeflows (telephony flows) and what each is "
        "doing. It stops one when somebody "
        f"with permission confirms. In a channel, {code(f'{command} help')} lists the commands and "
        f"{code(f'{command} whoami')} says what you can do there, and why."
    )
    aloud = f"You have no permissions yet: {escaped(decision.because, 600)}."
    return with_refresh(Message(aloud, (kit.header("flows-bot"), kit.section(because), kit.section(about))))


def _stops(stops: tuple[AllowedPress, ...] | Failure | None, command: str) -> Iterator[kit.Block]:
    yield kit.header("Your last stops")
    if stops is None:
        yield kit.section(_COMING)
    elif isinstance(stops, Failure):
        yield kit.section(f"{bold('Not known right now')}: {escaped(stops.what, 300)}.")
    elif not stops:
        yield kit.section("You haven’t pressed anything yet.")
    else:
        yield kit.section("\n".join(stop_line(stop) for stop in stops))
        each, all_ = code(f"{command} audit <id>"), code(f"{command} audit all me")
        yield kit.context(f"All about one: {each}. Everything you did: {all_}. Type it in a channel where you can view")


def _mentioned(mentioned: bool | None) -> Iterator[kit.Block]:
    if mentioned is None:
        return
    when = "below the card when it is not known a minute after your press whether it worked"
    if mentioned:
        button = kit.button("Don’t mention me", ids.HOME_MENTION, "off", label=f"Do not mention me {when}")
    else:
        button = kit.button("Mention me", ids.HOME_MENTION, "on", label=f"Mention me {when}")
    words = f"{bold('You are mentioned' if mentioned else 'You are not mentioned')} {when}."
    yield kit.section(words, accessory=button, block_id=ids.HOME_MENTION)


def _health(home: Home, command: str) -> Iterator[kit.Block]:
    yield kit.header("Health of the bot")
    if home.health is None:
        yield kit.section(_COMING)
        return
    yield kit.section("\n".join(line(finding) for finding in home.health))
    yield kit.context(f"Slack and VoIPBIN were not asked. {code(f'{command} doctor')} in a channel asks both")


# ---------------------------------------------------------------- small parts


def _aloud(home: Home) -> str:
    told = []
    if isinstance(home.overview, Overview):
        told += [f"{counted(home.overview.listing)}."]
        told += [words for one in home.overview.troubled for words in troubles_aloud(one.troubles)]
    told += [f"You can: {', '.join(each.permission for each in home.reaches)}."]
    told += [f"Health of the bot: {in_short(home.health)}."] if home.health is not None else []
    return " ".join(told)
