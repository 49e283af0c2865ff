"""Draw what runs now in a few lines: the largest flows, how fresh that is, and what is worth a look."""

from collections.abc import Iterator
from datetime import datetime

from bot.activeflows.ages import in_words
from bot.activeflows.queries.filters import Filters
from bot.activeflows.queries.groups import Group
from bot.activeflows.queries.home import Overview, Troubled
from bot.slack import ids, kit
from bot.slack.blocks import row_buttons
from bot.slack.blocks.anomalies import look_words
from bot.slack.blocks.freshness import freshness
from bot.slack.blocks.mrkdwn import bold, code, escaped


def overview_blocks(overview: Overview, now: datetime, *, command: str) -> Iterator[kit.Block]:
    """For one person's eyes."""
    listing = overview.listing
    if listing.groups:
        yield from (_group(group, now) for group in listing.groups)
    else:
        yield kit.section("No activeflow that you can view is running.")
    more = overview.flows - len(listing.groups)
    others = f" · {more} more {'flow' if more == 1 else 'flows'}: {code(f'{command} list by flow')}" if more > 0 else ""
    yield kit.context(freshness(listing) + others)
    if overview.troubled:
        yield kit.section(bold("Worth a look"))
    for troubled in overview.troubled:
        yield _troubled(troubled, now)
    if words := _looked_through(overview):
        yield kit.context(words)


def _group(group: Group, now: datetime) -> kit.Block:
    age = group.oldest.age(now)
    since = "age unknown" if age is None else in_words(age)
    words = f"{bold(row_buttons.name_of(group.name), 150)} · {group.count}, the oldest {since} ({code(group.oldest.short_id)})"
    flow_id = group.oldest.flow_id
    if flow_id is None:
        return kit.section(words)
    button = row_buttons.open_list(Filters(flow=group.name or str(flow_id)), group.name or row_buttons.NO_NAME)
    return kit.section(words, accessory=button)


def _troubled(troubled: Troubled, now: datetime) -> kit.Block:
    activeflow, doing = troubled.activeflow, troubled.doing
    age = activeflow.age(now)
    name = f"{bold(row_buttons.name_of(doing.flow_name), 150)}  {code(activeflow.short_id)}"
    lived = "" if age is None else f"Running {in_words(age)} · "
    lines = [name, f"{lived}{escaped(doing.situation.words, 300)}", *look_words(troubled.troubles, doing.situation)]
    if doing.situation.warning:
        lines.append(f"*Warning:* {escaped(doing.situation.warning, 200)}")
    show = row_buttons.show(activeflow, doing.flow_name)
    block_id = f"{ids.SHOW}:{activeflow.id}"  # as for Refresh: it stays the same while the page completes itself
    return kit.section("\n".join(lines), accessory=show, block_id=block_id)


def _looked_through(overview: Overview) -> str:
    unseen = overview.listing.total - overview.judged
    left = overview.troubled_in_all - len(overview.troubled)
    said = [f"{left} more worth a look"] if left > 0 else []
    said += [f"the oldest {unseen} were not checked in time"] if unseen > 0 else []
    return " · ".join(said)
