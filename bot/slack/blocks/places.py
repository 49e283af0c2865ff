"""Say where somebody may do something."""

from typing import Final

from bot.activeflows.permitted_places import Reach
from bot.slack.blocks.mrkdwn import mention

_MOST: Final = 10


def places(reach: Reach) -> str:
    """As in "in any channel", "in #incidents and #night-shift"."""
    if reach.anywhere:
        return "in any channel"
    named = [mention(channel) for channel in reach.channels[:_MOST]]
    more = len(reach.channels) - len(named)
    if more:
        return f"in {', '.join(named)} and {more} more"
    return f"in {' and '.join([', '.join(named[:-1]), named[-1]] if named[1:] else named)}"
