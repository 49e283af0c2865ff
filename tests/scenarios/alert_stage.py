"""What is wrong, and what was posted about it: the sentences that the stories about alerts are told in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.demo.slack.messages import Message
from bot.demo.voipbin.state import Activeflow, Flow, Step
from bot.demo.voipbin.world import World
from tests.scenarios.conftest import ALICE, INCIDENTS, LOBBY, Stage

CALLER = "+15550107731"


@pytest.fixture
def menu(voipbin: World) -> Flow:
    return voipbin.add_flow("Night menu", [Step("talk"), Step("digits_receive")])


def ruled(stage: Stage, *lines: str, to: str = INCIDENTS) -> None:
    """The policy has one alert rule more from now on."""
    text = stage.policy.read_text(encoding="utf-8")
    stage.policy.write_text("\n".join((text, "[[alert]]", f'to = "{to}"', *lines, "")), encoding="utf-8")


def loops(voipbin: World, menu: Flow, **changes: Any) -> Activeflow:
    return voipbin.rings(
        menu, at="digits_receive", executed=[*["talk", "digits_receive"] * 5, "talk"], source=CALLER, **changes
    )


def is_nearly_out_of_steps(voipbin: World, menu: Flow) -> Activeflow:
    return voipbin.rings(menu, at="play", executed=["sleep"] * 85)


def alerts(stage: Stage, channel: str = INCIDENTS) -> list[Message]:
    """Everything said there for everybody."""
    return [message for message in stage.slack.sees(ALICE, channel) if message.ephemeral_to is None]


async def alerted(stage: Stage, count: int, channel: str = INCIDENTS) -> list[Message]:
    await stage.slack.until(lambda: len(alerts(stage, channel)) >= count)
    return alerts(stage, channel)


async def nothing_more(stage: Stage, voipbin: World, channel: str = INCIDENTS) -> int:
    """How many there are, after everything that runs was looked at again, as sentinels in another channel show.

    One is found at the beginning of a round; so when the next one is, that round is over.
    """
    if str(LOBBY) not in stage.policy.read_text(encoding="utf-8"):
        ruled(stage, 'about = ["steps"]', to=LOBBY)
    for _ in range(2):
        before = len(alerts(stage, LOBBY))
        is_nearly_out_of_steps(voipbin, voipbin.add_flow("Sentinel"))
        await alerted(stage, before + 1, LOBBY)
    return len([one for one in alerts(stage, channel) if "Sentinel" not in one.words])


def ago(**how_long: float) -> datetime:
    return datetime.now(UTC) - timedelta(**how_long)


def quiet_now() -> str:
    """Hours around this moment, as the policy says them."""
    return f'quiet = "{ago(hours=2):%H:%M}-{ago(hours=-2):%H:%M}"'
