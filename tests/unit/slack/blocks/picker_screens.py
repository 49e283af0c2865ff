"""The menus to choose an activeflow from, closed and open."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.activeflows.anomalies import Reason
from bot.activeflows.errors import IdentityUnknown, NotPermitted, VoIPBINUnreachable
from bot.activeflows.model import Activeflow, Freshness, Picture
from bot.activeflows.operators import Operator, Permission
from bot.activeflows.search.choices import Choice, Choices
from bot.slack import ids, kit
from bot.slack.blocks import picker
from bot.slack.blocks.help import menu_not_known
from bot.slack.messaging.messenger import Message

NOW = datetime(2026, 11, 22, 12, 3, 10, tzinfo=UTC)
LIVE = Picture((), NOW, None, freshness=Freshness(live=True))
DOWN = replace(
    LIVE,
    as_of=NOW - timedelta(seconds=40),
    complete_since=NOW - timedelta(minutes=65),
    stopped_because="reading",
    unreadable=1,
    freshness=Freshness(live=False, down_since=NOW - timedelta(minutes=1)),
)


def choices(words: str, made: Callable[[int], Activeflow], **changes: object) -> Choices:
    """Two for each reason, and two that nothing is wrong with."""
    reasons: list[Reason | None] = [*Reason, None]
    found = tuple(
        Choice(made(number + 1), words if number % 2 else None, words, reasons[number // 2])
        for number in range(2 * len(reasons))
    )
    built = Choices(found, total=len(found), hidden=0, unnamed=0, picture=LIVE, anything=True)
    return replace(built, **changes)  # type: ignore[arg-type] # fields by name


def picker_screens(words: str, made: Callable[[int], Activeflow], nobody: Operator) -> Iterator[Message]:
    """Each of them; an open menu is drawn with its options in it, as it is on a screen."""
    for word in picker.MENUS:
        yield picker.picker(word, command="/flows")
    yield picker.chose_a_note("stop", command="/flows")
    for shown in (
        choices(words, made),
        choices(words, made, total=73, hidden=2, unnamed=1, picture=DOWN, anything=False),
        choices(words, made, found=(), total=0),
        choices(words, made, found=(), total=0, hidden=3),
        choices(words, made, found=(), total=0, anything=False, picture=DOWN),
        choices(words, made, found=(), total=0, anything=False, number=True),
    ):
        yield _open(picker.offered(shown, NOW, command="/flows"))
    refused = NotPermitted(nobody.decide(Permission.VIEW))
    for trouble in (refused, IdentityUnknown("Slack did not answer"), VoIPBINUnreachable("no answer")):
        yield _open(picker.explained_in_menu(trouble, "stop", command="/flows"))
    yield _open(picker.not_listed(picker.CHOOSE_PLACE))
    yield _open(menu_not_known())


def _open(groups: list[kit.Element]) -> Message:
    menu = {"type": "static_select", "action_id": ids.PICK_STOP, "option_groups": groups}
    return Message("The open menu", (kit.actions(menu),))
