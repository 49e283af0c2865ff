"""Draw the Home of one person with what is known of it so far.

Decisions: buttons here only read, because a stop is asked for in public; where to type it is said. What could not be had is
said where it would stand, and *Refresh* is always there, so that nobody is left before an empty page.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from bot.activeflows.errors import Failure
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.permitted_places import Reach, may_somewhere
from bot.activeflows.queries.audit_review import AllowedPress
from bot.activeflows.queries.home import Home, Overview
from bot.slack import ids, kit
from bot.slack.blocks.anomalies import troubles_aloud
from bot.slack.blocks.audit_words import stop_line
from bot.slack.blocks.doctor import in_short, line
from bot.slack.blocks.freshness import counted
from bot.slack.blocks.mrkdwn import bold, code, escaped, mentions
from bot.slack.blocks.overview import overview_blocks
from bot.slack.blocks.places import places
from bot.slack.messaging.account_mark import marked_id
from bot.slack.messaging.messenger import Message

_COMING: Final = "Still loading. This page updates itself."
_MOST_ACCOUNTS: Final = 20
_REFRESH: Final = kit.actions(
    kit.button("Refresh", ids.HOME_REFRESH, "home", label="Refresh this page"), block_id=ids.HOME_REFRESH
)


def home_page(home: Home, now: datetime, *, command: str) -> Message:
    """For this person's eyes alone."""
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
    """What stands in place of the page, with the button that tries again."""
    return Message(message.text, (*message.blocks, _REFRESH))


def with_accounts(message: Message, accounts: Collection[str]) -> Message:
    """With a button for each VoIPBIN account, where there are several."""
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
        "flows-bot shows the running VoIPBIN activeflows (telephony flows) and what each is doing. It stops one when somebody "
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
