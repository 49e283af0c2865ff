"""Read the events of one activeflow from VoIPBIN's timeline: one page as a rule, and never more than two thousand.

An activeflow has at most about a hundred events, because its steps are counted, and a page holds a thousand: what is longer
was repeated, and its newest part tells enough. A page may hold fewer than that (``page_end``), so it is read on for as long
as it says where. https://api.voipbin.net/docs/activeflow_overview.html
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from bot.activeflows.situation.timeline import Moment, Timeline
from bot.voipbin.http.budget import Urgency
from bot.voipbin.http.exchange import Exchange, Question
from bot.voipbin.wire.timeline_page import cursor, timeline_page

PAGE: Final = 1000
"""The most VoIPBIN gives; what is above reads as 100."""
_ENOUGH: Final = 2 * PAGE
_MOST_PAGES: Final = 20


async def timeline(exchange: Exchange, activeflow_id: UUID) -> Timeline:
    """What the timeline tells, read now. Raises ``Unsuccessful``."""
    moments: list[Moment] = []
    query: dict[str, str | int] = {"page_size": PAGE}
    before = datetime.max.replace(tzinfo=UTC)
    for _ in range(_MOST_PAGES):
        question = Question("GET", f"/timelines/activeflows/{activeflow_id}/events", Urgency.SCREEN, query=query)
        page = await exchange.read(question, lambda body: timeline_page(body, activeflow_id))
        moments += page.moments
        if page.next_from is None or page.next_from >= before or len(moments) >= _ENOUGH:
            break
        before = page.next_from
        query = {"page_size": PAGE, "page_token": cursor(before)}
    return Timeline(tuple(moments))
