"""A simulated Slack: its state, its wire, and the people in it.

`Workspace` is what tests and the demo hold in their hands; `slack_app` and `serving_slack` put it on loopback, where
the bot takes it for Slack.
"""

from bot.demo.slack.app import serving_slack, slack_app
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.messages import Button, Message, View
from bot.demo.slack.people import Channel, Group, User
from bot.demo.slack.responses import ResponseSeen
from bot.demo.slack.web_api import CallSeen
from bot.demo.slack.workspace import Workspace

__all__ = [
    "Button",
    "CallSeen",
    "Channel",
    "Delivery",
    "Group",
    "Message",
    "ResponseSeen",
    "User",
    "View",
    "Workspace",
    "serving_slack",
    "slack_app",
]
