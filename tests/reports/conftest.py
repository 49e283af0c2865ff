"""The bot between both simulators, as the scenarios have it: each story here began as a report about another bot."""

from tests.scenarios.conftest import bot, policy, slack, stage, voipbin

__all__ = ["bot", "policy", "slack", "stage", "voipbin"]
