"""The events of one activeflow, asked of VoIPBIN's timeline: one page as a rule, two at most.

An activeflow has at most about a hundred events, because its steps are counted, and a page holds a thousand: what is longer
was repeated, and its newest part tells enough. https://api.voipbin.net/docs/activeflow_overview.html
"""

from typing import Final
from uuid import UUID

from bot.activeflows.situation.timeline import Moment, Timeline
from bot.voipbin.budget import Urgency
from bot.voipbin.exchange import Exchange, Question
from bot.voipbin.timelines import cursor, timeline_page

PAGE: Final = 1000
"""The most VoIPBIN gives; what is above reads as 100."""
_MOST_PAGES: Final = 2


async def timeline(exchange: Exchange, activeflow_id: UUID) -> Timeline:
    """What the timeline tells, read now. Raises ``Unsuccessful``."""
    moments: list[Moment] = []
    query: dict[str, str | int] = {"page_size": PAGE}
    for _ in range(_MOST_PAGES):
        question = Question("GET", f"/timelines/activeflows/{activeflow_id}/events", Urgency.SCREEN, query=query)
        page = await exchange.read(question, lambda body: timeline_page(body, activeflow_id))
        moments += page.moments
        if page.next_from is None:
            break
        query = {"page_size": PAGE, "page_token": cursor(page.next_from)}
    return Timeline(tuple(moments))
