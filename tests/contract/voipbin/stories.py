"""The situations behind the samples, told to a simulated VoIPBIN, each with the request that shows it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx

from bot.demo.voipbin import faults
from bot.demo.voipbin.state import Activeflow, Step
from bot.demo.voipbin.world import World


class Asked(NamedTuple):
    """A request under /v1.0; `key` None means the world's own access key."""

    method: str
    path: str
    key: str | None = None


Story = Callable[[World], Asked]
Tell = Callable[[Story], Awaitable[httpx.Response]]

ANSWER = Step("answer")
ASK = Step("talk", {"language": "en-GB", "text": "Please enter your number."})
DIGITS = Step("digits_receive", {"duration": 6000, "key": "*", "length": 4})


def _caller(world: World) -> Activeflow:
    survey = world.add_flow("Survey")
    return world.rings(world.add_flow("Helpdesk", [ANSWER, ASK, DIGITS], on_complete=survey), at=DIGITS)


def waiting_for_digits(world: World) -> Asked:
    return Asked("GET", f"/activeflows/{_caller(world).id}")


def in_a_queue(world: World) -> Asked:
    hold = Step("talk", {"language": "en-GB", "text": "Please hold."})
    music = Step("play", {"stream_urls": ["https://media.example.com/b.wav"]})
    lap = Step("fetch_flow", {"flow_id": str(uuid4())})
    back = Step("empty", next_id=lap.id)
    join = Step("queue_join", {"queue_id": str(uuid4())})
    flow = world.add_flow("Support", [ANSWER, join])
    activeflow = world.rings(flow, at=music, executed=[ANSWER, join, lap, hold, music, back, lap, hold])
    return Asked("GET", f"/activeflows/{activeflow.id}")


def without_status(world: World) -> Asked:
    row = world.rings(status="", reference_type="", created_at=datetime(2021, 11, 5, 8, 30, tzinfo=UTC))
    return Asked("GET", f"/activeflows/{row.id}")


def _ended(world: World) -> Activeflow:
    flow = world.add_flow("Chat", [Step("conversation_send", {"text": "Hello"})])
    activeflow = world.rings(flow, at="conversation_send", reference_type="conversation", parent=_caller(world))
    world.ends(activeflow)
    return activeflow


def ended_by_itself(world: World) -> Asked:
    return Asked("GET", f"/activeflows/{_ended(world).id}")


def stopped(world: World) -> Asked:
    return Asked("POST", f"/activeflows/{_caller(world).id}/stop")


def last_page(world: World) -> Asked:
    activeflow = _ended(world)
    first = world.activeflow(activeflow.reference_activeflow_id)
    world.telephony.deletes(first)
    for child in world.children_of(first):
        if child is not activeflow:
            world.telephony.deletes(child)
    return Asked("GET", "/activeflows?page_size=1")


def empty_page(_: World) -> Asked:
    return Asked("GET", "/activeflows")


def call_progressing(world: World) -> Asked:
    return Asked("GET", f"/calls/{_caller(world).reference_id}")


def call_hung_up(world: World) -> Asked:
    activeflow = _caller(world)
    world.telephony.terminating_after = world.telephony.hangup_after = 0
    world.stop(activeflow)
    return Asked("GET", f"/calls/{activeflow.reference_id}")


def flow(world: World) -> Asked:
    return Asked("GET", f"/flows/{world.add_flow('Helpdesk', [ANSWER], on_complete=world.add_flow('Survey')).id}")


def timeline(world: World) -> Asked:
    activeflow = _caller(world)
    del world.records.timeline[activeflow.id][:]
    world.stop(activeflow)
    return Asked("GET", f"/timelines/activeflows/{activeflow.id}/events")


def no_credential(_: World) -> Asked:
    return Asked("GET", "/activeflows", key="")


def bad_credential(_: World) -> Asked:
    return Asked("GET", "/activeflows", key="vb_made_up")


def somebody_elses(world: World) -> Asked:
    return Asked("POST", f"/activeflows/{world.rings(customer=world.add_customer('Other')).id}/stop")


def frozen_account(world: World) -> Asked:
    world.freezes(world.customer)
    return Asked("GET", "/customer")


def no_such_activeflow(_: World) -> Asked:
    return Asked("GET", f"/activeflows/{uuid4()}")


def no_such_route(_: World) -> Asked:
    return Asked("PUT", f"/activeflows/{uuid4()}")


def deleted_activeflow(world: World) -> Asked:
    activeflow = _caller(world)
    world.telephony.deletes(activeflow)
    return Asked("POST", f"/activeflows/{activeflow.id}/stop")


def deleted_call(world: World) -> Asked:
    call = world.call_of(_caller(world))
    assert call is not None
    call.tm_delete = world.clock.instant()
    return Asked("GET", f"/calls/{call.id}")


def rate_limited(world: World) -> Asked:
    world.limits.enabled = True
    world.limits.others_take(world.customer.id, 100)
    world.limits.rate = 0
    return Asked("GET", "/activeflows")


def internal(world: World) -> Asked:
    world.faults.on("GET", "/activeflows", faults.status(500, "INTERNAL"))
    return Asked("GET", "/activeflows")


def timed_out(world: World) -> Asked:
    world.faults.on("POST", "/activeflows/{id}/stop", faults.status_after_work(503, "REQUEST_TIMEOUT"))
    return Asked("POST", f"/activeflows/{_caller(world).id}/stop")


def bad_id(_: World) -> Asked:
    return Asked("GET", f"/activeflows/{UUID(int=0)}")


STORIES: dict[tuple[str, int], Story] = {
    ("activeflow-waiting-for-digits", 200): waiting_for_digits,
    ("activeflow-in-a-queue", 200): in_a_queue,
    ("activeflow-without-status", 200): without_status,
    ("activeflow-ended-by-itself", 200): ended_by_itself,
    ("activeflow-stopped", 200): stopped,
    ("activeflows-last-page", 200): last_page,
    ("activeflows-empty-page", 200): empty_page,
    ("call-progressing", 200): call_progressing,
    ("call-hung-up", 200): call_hung_up,
    ("flow", 200): flow,
    ("timeline", 200): timeline,
    ("no-credential", 401): no_credential,
    ("bad-credential", 401): bad_credential,
    ("somebody-elses", 403): somebody_elses,
    ("frozen-account", 403): frozen_account,
    ("no-such-activeflow", 404): no_such_activeflow,
    ("no-such-route", 404): no_such_route,
    ("deleted-activeflow", 404): deleted_activeflow,
    ("deleted-call", 409): deleted_call,
    ("rate-limited", 429): rate_limited,
    ("internal", 500): internal,
    ("timed-out", 503): timed_out,
    ("bad-id", 400): bad_id,
}
