"""The pictures of the README, drawn anew by ``python -m tests.pictures``; that needs Chromium, as ``tests/browser``
does.

One night at half past two, the same one each time: what the bot's own functions draw for it is put into a message of
the demo's page, at a clock that stands. ``docs/pictures/drawn.txt`` says what was drawn; tests fail while a picture is
older than that, and not for any other change.
"""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final
from uuid import UUID

from playwright.async_api import Browser, Page, Route, async_playwright

from bot.activeflows.anomalies import Anomaly, Reason
from bot.activeflows.bulk.bulk_stop import Bulk, BulkState, Member, MemberOutcome, Run
from bot.activeflows.health import Finding, HealthState
from bot.activeflows.model import Action, Activeflow, Call, Flow, Freshness, Party, Reference, Status
from bot.activeflows.operators import Grant, Operator, Permission, Person, Policy, Standing, reach
from bot.activeflows.queries.audit_review import AllowedPress
from bot.activeflows.queries.details import Details
from bot.activeflows.queries.filters import ActiveflowGroup, Filters
from bot.activeflows.queries.home import AnomalousActiveflow, Home, Overview
from bot.activeflows.queries.inspection import Inspection, as_seen, consequences
from bot.activeflows.queries.listing import Listing, Row
from bot.activeflows.queries.resolution import NamedSituation
from bot.activeflows.records import Entry, Record, RecordKind
from bot.activeflows.situation.current_step import Situation
from bot.activeflows.situation.history import HistoryLine
from bot.activeflows.stopping.stop import Attribution, CallAfter, Ended, Intent, Phase, Waiting
from bot.slack.blocks.activeflow_details import activeflow_details
from bot.slack.blocks.activeflow_list import activeflow_list
from bot.slack.blocks.home import home_page
from bot.slack.cards.bulk_card import bulk_card
from bot.slack.cards.stop_card import stop_card
from bot.slack.messaging.messenger import Message, checked

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs/pictures"
DRAWN: Final = FOLDER / "drawn.txt"
PAGE: Final = ROOT / "bot/demo/page"
_LOOK: Final = ("colours", "frame", "messages", "blocks")

NOW: Final = datetime(2026, 11, 22, 2, 31, 10, tzinfo=UTC)
OLIVE, AVA, INCIDENTS = "U0OPERATOR", "U0APPROVER", "C0INCIDENTS"
NAMES: Final = {OLIVE: "Olive Operator", AVA: "Ava Approver", INCIDENTS: "incidents"}
_POLICY: Final = Policy(
    (
        Grant(1, frozenset({OLIVE}), frozenset({Permission.VIEW})),
        Grant(2, frozenset({OLIVE}), frozenset({Permission.STOP, Permission.BULK}), frozenset({INCIDENTS})),
    )
)
_OPERATOR: Final = Operator(Person(OLIVE, Standing.MEMBER), INCIDENTS, _POLICY)
_SPEAKING: Final = "speaking a text to the caller"
_STUCK: Final = "28 min in speaking a text, usually 20 s"
_WAITING: Final = Situation("queue.waiting", "waiting in queue Support, 3rd time round", "play")


@dataclass(frozen=True)
class Picture:
    """One screen of the README. ``private``: only one person sees it; ``edited``: Slack says so below it."""

    name: str
    message: Message
    private: bool = False
    edited: bool = False

    @property
    def blocks(self) -> str:
        """What the bot draws, as JSON."""
        return json.dumps(checked(self.message.text, self.message.blocks)[1], sort_keys=True)


# ---------------------------------------------------------------- the night


def pictures() -> Iterator[Picture]:
    """The six."""
    yield Picture("list", activeflow_list(_listing(), _OPERATOR, NOW, command="/flows"), private=True)
    yield Picture("show", activeflow_details(_details(), _OPERATOR, command="/flows"), private=True)
    yield Picture("stop-card", _stop(Waiting()))
    hung_up = CallAfter("hung_up", NOW + timedelta(seconds=12))
    ended_at = NOW + timedelta(seconds=11)
    stopped = Ended(OLIVE, Attribution.THIS_PRESS, ended_at, hung_up, receipt="214:5d0c9e1b7a")
    yield Picture("result", _stop(stopped), edited=True)
    yield Picture("bulk-progress", _bulk(), edited=True)
    yield Picture("home", home_page(_home(), NOW, command="/flows"))


def _activeflow(number: int, began: timedelta, *, flow: int = 1, kind: str = "call") -> Activeflow:
    return Activeflow(
        id=UUID(int=(0x93993AE1 + number * 0x0B1F2E37) % (1 << 32) << 96 | 0x4C1E_4B0E_9D7B_0D8A_4F7E_1A11),
        customer_id=UUID(int=1),
        flow_id=UUID(int=(0x5C2A10E0 + flow) << 96),
        status=Status.RUNNING,
        reference=Reference(kind, UUID(int=(0xCA110E51 + number) << 96)),
        current=Action(UUID(int=77), "talk"),
        executed=tuple(Action(UUID(int=9000 + step), "talk") for step in range(6)),
        created_at=NOW - began,
        updated_at=NOW - timedelta(minutes=28),
    )


_STUCK_ONE: Final = _activeflow(0, timedelta(minutes=29))


def _listing() -> Listing:
    said = (
        (_STUCK_ONE, "Support line", Situation("talk", _SPEAKING, "talk"), (Anomaly(Reason.STUCK, _STUCK),)),
        (_activeflow(1, timedelta(minutes=12)), "Support line", _WAITING, ()),
        (
            _activeflow(2, timedelta(minutes=7), flow=2),
            "After hours",
            Situation("digits", "waiting for keypad input, 1 digit", "digits_receive"),
            (),
        ),
        (
            _activeflow(3, timedelta(minutes=2), flow=3),
            "Front desk",
            Situation("queue.agent", "put through to an agent from queue Front desk", "connect"),
            (),
        ),
    )
    return Listing(
        rows=tuple(Row(one, doing, flow, troubles) for one, flow, doing, troubles in said),
        filters=Filters(),
        first=0,
        total=len(said),
        hidden=0,
        unnamed=0,
        similar=(),
        as_of=NOW,
        complete_since=NOW - timedelta(minutes=65),
        stopped_because="",
        unreadable=0,
        sort="worst",
        freshness=Freshness(live=True),
    )


def _sight() -> Inspection:
    call = Call(
        id=_STUCK_ONE.reference.id or UUID(int=8),
        activeflow_id=_STUCK_ONE.id,
        status="progressing",
        direction="incoming",
        source=Party("tel", "+12025550143", ""),
        destination=Party("tel", "+12025550100"),
        answered_at=NOW - timedelta(minutes=29),
    )
    doing = Situation("talk", _SPEAKING, "talk")
    effects = consequences(_STUCK_ONE, situation=doing, now=NOW, call=call, looked_up=True)
    return Inspection(_STUCK_ONE, doing, Flow(_STUCK_ONE.flow_id or UUID(int=1), "Support line"), None, call, effects)


def _details() -> Details:
    began = NOW - timedelta(minutes=29)
    seconds = timedelta(seconds=1)
    history = (
        HistoryLine("answered the call", 1, began, began, seconds),
        HistoryLine("spoke a text", 1, began + seconds, began + seconds, 9 * seconds),
        HistoryLine("received keypad input", 1, began + 10 * seconds, began + 10 * seconds, 14 * seconds),
    )
    present = HistoryLine(_SPEAKING, 1, began + 58 * seconds, began + 58 * seconds)
    trouble = Anomaly(Reason.STUCK, _STUCK)
    return Details(_sight(), history, NOW, present, troubles=(trouble,))


def _stop(phase: Phase) -> Message:
    until = NOW + timedelta(minutes=5)
    seen = as_seen(_sight())
    said = "caller hears silence"
    intent = Intent("a" * 32, _STUCK_ONE.id, _STUCK_ONE.flow_id, seen, OLIVE, INCIDENTS, said, NOW, until)
    return stop_card(intent, phase, "/flows")


def _bulk() -> Message:
    count = 24
    members = tuple(
        Member(
            number=number,
            activeflow_id=_activeflow(number, timedelta()).id,
            flow_id=_STUCK_ONE.flow_id,
            flow_name="Support line",
            kind=_WAITING.kind,
            words=_WAITING.words,
            reference_type="call",
            created_at=NOW - timedelta(minutes=3, seconds=20 * number),
            call_id=UUID(int=number),
        )
        for number in range(1, count + 1)
    )
    bulk = Bulk(
        id="b" * 32,
        filters=Filters(flow="Support line", state="waiting"),
        members=members,
        asked_by=OLIVE,
        channel=INCIDENTS,
        reason="queue has no agents",
        asked_at=NOW,
        deadline=NOW + timedelta(minutes=5),
        as_of=NOW,
        complete_since=NOW - timedelta(minutes=65),
        second_person=True,
        limit=50,
    )
    became = dict.fromkeys(range(1, 14), MemberOutcome.STOPPED) | {4: MemberOutcome.ALREADY}
    pressed_at = NOW + timedelta(seconds=41)
    run = Run(BulkState.STOPPING, "p", AVA, pressed_at, pressed_at + timedelta(minutes=10), became=became)
    return bulk_card(bulk, run, "/flows")


def _home() -> Home:
    listing = _listing()
    groups = (
        ActiveflowGroup("Support line", 9, _STUCK_ONE),
        ActiveflowGroup("After hours", 3, _activeflow(2, timedelta(minutes=7), flow=2)),
        ActiveflowGroup("Front desk", 2, _activeflow(3, timedelta(minutes=2), flow=3)),
    )
    total = sum(group.count for group in groups)
    shown = replace(listing, rows=(), by="flow", groups=groups, all_groups=len(groups), total=total)
    row = listing.rows[0]
    troubled = (AnomalousActiveflow(_STUCK_ONE, NamedSituation(row.situation, "Support line"), row.troubles),)
    overview = Overview(shown, len(groups), troubled, 1, shown.total)
    health = tuple(Finding(about, HealthState.OK, what) for about, what in _HEALTH)
    return Home(
        _OPERATOR, reach(_POLICY, _OPERATOR.person), overview, tuple(_own_stops()), health, whole=True, mentioned=True
    )


_HEALTH: Final = (
    ("deliveries", "receiving over Socket Mode, connected"),
    ("ledger", "version 2, writable"),
    ("policy", "2 grants in force"),
)


def _own_stops() -> Iterator[AllowedPress]:
    outcomes = (
        ("Support line", {"outcome": "Ended", "attribution": str(Attribution.THIS_PRESS)}),
        ("After hours", {"outcome": "Ended", "attribution": str(Attribution.ALREADY)}),
    )
    for number, (flow, detail) in enumerate(outcomes, 5):
        at = NOW - timedelta(minutes=9 * number)
        id_ = _activeflow(number, timedelta()).id
        pressed = Record("k", at, RecordKind.PRESSED, OLIVE, INCIDENTS, id_)
        became = replace(pressed, what=RecordKind.OUTCOME, detail=detail)
        yield AllowedPress(Entry(200 - number, pressed, "0f3c2a9b1d"), Entry(201 - number, became, "5d0c9e1b7a"), flow)


# ---------------------------------------------------------------- drawn

_HTML: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
{styles}<body style="display: block; background: var(--paper)"><ol class="messages" id="picture"></ol>
"""
_DRAW: Final = """async ({ kind, blocks, names, ts, private, edited }) => {
  const where = document.getElementById("picture");
  if (kind === "home") {
    const { blocks: drawn } = await import("/page/blocks.js");
    const column = document.createElement("div");
    where.className = "home";
    column.className = "column";
    column.append(...drawn(blocks, { names, press: async () => null, fields: new Map() }));
    where.append(column);
  } else {
    const { MessageList } = await import("/page/messages.js");
    const desk = { person: {}, app: { name: "flows-bot" }, shortcuts: [], names: () => names, act: async () => null };
    const list = new MessageList(where, where, document.createElement("button"), desk);
    where.append(list.message({ ts, user: "U0BOT", bot: true, channel: "C0INCIDENTS", ephemeral: private, edited, blocks, text: "" }));
  }
  where.querySelectorAll(".toolbar").forEach((node) => node.remove());
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode()));
}"""


def drawn_blocks() -> dict[str, str]:
    """What each picture shows, and the look of the page, by name."""
    look = "".join((PAGE / f"look/{name}.css").read_text(encoding="utf-8") for name in _LOOK)
    return {each.name: _hash(each.blocks) for each in pictures()} | {"look": _hash(re.sub(r"\s+", " ", look))}


async def drawn(browser: Browser, picture: Picture, file: Path | None = None) -> str:
    """Draw one, into ``file`` when there is one; the hash of the elements that the page made of it."""
    page = await browser.new_page(
        viewport={"width": 780, "height": 400}, locale="en-US", timezone_id="UTC", color_scheme="light"
    )
    await page.clock.set_fixed_time(NOW)
    await page.route("**/*", _serve)
    await page.goto("http://pictures.invalid/")
    asked = {
        "kind": picture.name,
        "blocks": json.loads(picture.blocks),
        "names": {**NAMES, "U0BOT": "flows-bot"},
        "ts": str(NOW.timestamp()),
        "private": picture.private,
        "edited": picture.edited,
    }
    await page.evaluate(_DRAW, asked)
    elements = await page.locator("#picture").inner_html()
    if file is not None:
        await _shoot(page, file)
    await page.close()
    return _hash(re.sub(r"\s", " ", elements))  # a browser's library of times may change its kind of space


async def _shoot(page: Page, file: Path) -> None:
    await page.locator("#picture").screenshot(path=file, animations="disabled")


async def _serve(route: Route) -> None:
    """The page's own files, from the disk."""
    path = route.request.url.removeprefix("http://pictures.invalid/")
    if not path:
        styles = "".join(f'<link rel="stylesheet" href="/page/look/{name}.css">' for name in _LOOK)
        await route.fulfill(body=_HTML.format(styles=styles), content_type="text/html")
    elif (file := PAGE / path.removeprefix("page/")).is_file():
        await route.fulfill(path=file)
    else:
        await route.fulfill(status=HTTPStatus.NOT_FOUND)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def kept() -> dict[str, list[str]]:
    """What ``drawn.txt`` says of each picture: the hash of its blocks, and of its elements."""
    lines = DRAWN.read_text(encoding="utf-8").splitlines()
    return {name: hashes for name, *hashes in (line.split() for line in lines)}


async def draw_all() -> None:
    """Write them all, and what was drawn."""
    FOLDER.mkdir(exist_ok=True)
    chromium = os.environ.get("FLOWS_BOT_CHROMIUM") or shutil.which("chromium")
    blocks = drawn_blocks()
    lines = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for picture in pictures():
            elements = await drawn(browser, picture, FOLDER / f"{picture.name}.png")
            lines.append(f"{picture.name} {blocks[picture.name]} {elements}")
        await browser.close()
    DRAWN.write_text("\n".join([*lines, f"look {blocks['look']}"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(draw_all())
