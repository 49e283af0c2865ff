"""Every error VoIPBIN can answer, as a person reads it: at once, truly, with the request id, and never in VoIPBIN's
words.

https://api.voipbin.net/docs/restful_api_errors.html. What VoIPBIN wrote freely in its answer is marked here, and must
not be seen anywhere in Slack. Whether something was stopped is asked of the simulated VoIPBIN, not of the bot.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.demo.slack.messages import Message
from bot.demo.slack.workspace import Workspace
from bot.demo.voipbin import faults
from bot.demo.voipbin.errors import refusal
from bot.demo.voipbin.faults import Fault
from bot.demo.voipbin.state import Activeflow
from bot.demo.voipbin.world import World
from bot.slack.cards.stop_card import StopCards
from bot.slack.transport.jobs import NOTICE_AFTER
from tests.scenarios.conftest import ALICE, INCIDENTS, Stage

MARKED: Final = "simulated: Kunde +15550109999 https://internal.example/?accesskey=vb_never_shown"

DOWN = "VoIPBIN cannot be reached"
BROKEN = "VoIPBIN had an error of its own"
CREDENTIAL = "VoIPBIN does not accept my credential"
FROZEN = "This VoIPBIN account is frozen"
BUSY = "VoIPBIN is refusing requests right now"
ABSENT = "No activeflow matches"
UNPAID = "This VoIPBIN account has to be paid first"
CONFLICT = "VoIPBIN refused it, because of the state it is in"
STILL = "Still working on it"
UNSENT, UNDONE = "Nothing was stopped", "Still running"


def answers(
    code: int, reason: str, *, media_type: str = "application/json", details: Sequence[Mapping[str, Any]] = ()
) -> Fault:
    """VoIPBIN's envelope, with a message that nobody should read."""

    async def fault(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        plain = refusal(scope, code, reason, details=details, media_type=media_type)
        body = bytes(plain.body).replace(f"simulated: {reason.lower().replace('_', ' ')}".encode(), MARKED.encode())
        assert MARKED.encode() in body
        await Response(body, code, {"Retry-After": "0"}, media_type)(scope, receive, send)

    return fault


@dataclass(frozen=True)
class Trouble:
    """What VoIPBIN answers, what a reader is told, and what a card says when only the stop itself ran into it."""

    name: str
    fault: Fault
    told: str
    stop: str = UNDONE
    says: str = ""
    """What VoIPBIN answered, as it is told in the small print."""


def row(code: int, reason: str, told: str, stop: str = UNDONE, **how: Any) -> Trouble:
    return Trouble(f"{code} {reason}", answers(code, reason, **how), told, stop, f"VoIPBIN answered {code} {reason}")


FREEZE = {"deletion_scheduled_at": "2026-08-05T10:00:00Z", "deletion_effective_at": "2026-09-04T10:00:00Z"}
FAULT_SWITCHES = [
    row(400, "INVALID_ID", BROKEN, UNSENT),
    row(400, "INVALID_REQUEST_PARAMETER", BROKEN, UNSENT),
    row(400, "MISSING_REQUEST_PARAMETER", BROKEN, UNSENT),
    row(400, "INVALID_ARGUMENT", BROKEN),
    row(400, "INVALID_JSON_BODY", BROKEN, media_type="text/plain"),
    row(401, "AUTHENTICATION_REQUIRED", CREDENTIAL, UNSENT),
    row(401, "INVALID_CREDENTIALS", CREDENTIAL, UNSENT),
    row(403, "ACCOUNT_FROZEN", FROZEN, UNSENT, details=[FREEZE]),
    row(403, "DIRECT_ACCESS_NOT_SUPPORTED", CREDENTIAL, UNSENT),
    row(403, "AGENT_AUTH_REQUIRED", CREDENTIAL, UNSENT),
    row(404, "ROUTE_NOT_FOUND", BROKEN, UNSENT),
    row(402, "PAYMENT_REQUIRED", UNPAID, UNSENT),
    row(409, "STATE_INVALID", CONFLICT, UNSENT),
    row(409, "ACTIVEFLOW_ALREADY_STOPPED", CONFLICT, UNSENT),
    row(422, "A_REASON_OF_TOMORROW", BROKEN, UNSENT),
    row(429, "RATE_LIMIT_EXCEEDED", BUSY, UNSENT, details=[{"limited_by": "customer"}]),
    row(500, "INTERNAL", BROKEN),
    row(503, "REQUEST_TIMEOUT", DOWN),
    row(503, "REQUEST_CANCELED", DOWN),
    row(503, "SERVICE_UNAVAILABLE", DOWN),
    row(418, "A_REASON_OF_TOMORROW", BROKEN),
    Trouble("an empty 400, as old deployments say everything", faults.empty(400), BROKEN, says="VoIPBIN answered 400"),
    Trouble("an empty 500, as after a panic", faults.empty(500), BROKEN, says="VoIPBIN answered 500"),
    Trouble("an empty 404, which is not VoIPBIN's", faults.empty(404), BROKEN, UNSENT, "is the API URL right?"),
    Trouble("a redirect", faults.empty(302), BROKEN, UNSENT, "a redirect; is the API URL right?"),
    Trouble("a gateway's page", faults.html(502), DOWN, says="VoIPBIN answered 502"),
    Trouble("broken JSON", faults.broken_json(), BROKEN, says="VoIPBIN answered 200 with something unreadable"),
    Trouble("a connection that is reset", faults.reset_before(), DOWN, says="the connection to VoIPBIN broke"),
]
GONE = [
    row(403, "PERMISSION_DENIED", "does not let me read", UNSENT),
    row(404, "ACTIVEFLOW_NOT_FOUND", ABSENT, UNSENT),
    row(404, "RESOURCE_NOT_FOUND", ABSENT, UNSENT),
]


def named(trouble: Trouble) -> str:
    return trouble.name


async def typed(stage: Stage, words: str) -> Message:
    """What a typed line is answered with in the end."""
    before = len(stage.slack.sees(ALICE, INCIDENTS))
    assert (await stage.slack.types(ALICE, INCIDENTS, f"/flows {words}")).error is None

    def answer() -> Message | None:
        new = stage.slack.sees(ALICE, INCIDENTS)[before:]
        return next((message for message in new if not message.words.startswith(STILL)), None)

    found = await stage.slack.until(answer)
    assert isinstance(found, Message)
    assert found.ephemeral_to == ALICE
    return found


async def pressed(stage: Stage, card: Message, heading: str) -> str:
    """What the card says in the end; it changes with each press."""
    slack = stage.slack
    before = slack.message(card.channel, card.ts)
    assert (await slack.clicks(ALICE, before, "stop.flow")).error is None

    def settled() -> str | None:
        now = slack.message(card.channel, card.ts)
        return now.words if now != before and now.words.startswith(heading) else None

    return await slack.until(settled, seconds=20)


def last_request(voipbin: World, method: str = "GET") -> str:
    return [seen for seen in voipbin.requests if seen.method == method][-1].headers["x-request-id"]


def assert_nothing_of_it_was_shown(slack: Workspace, voipbin: World) -> None:
    """Neither VoIPBIN's words nor its address nor the credential reached Slack in any form."""
    sent = [repr(call.arguments) for call in slack.calls] + [repr(response.body) for response in slack.responses]
    told = "\n".join(sent)
    for never in (MARKED, "0109999", "internal.example", "vb_never", voipbin.access_key, "http://", "gateway"):
        assert never not in told


@pytest.mark.parametrize(
    "trouble",
    [pytest.param(each, marks=[pytest.mark.slow] if number % 4 else []) for number, each in enumerate(FAULT_SWITCHES)],
    ids=named,
)
async def test_a_trouble_of_voipbin_is_told_truly_wherever_it_is_met(
    trouble: Trouble, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card = await bot.asks_to_stop(activeflow)
    everything = voipbin.faults.on("*", "*", trouble.fault, times=None)
    for question in ("list", f"show {activeflow.id}"):
        answer = await typed(bot, question)
        assert answer.words.startswith(trouble.told)
        assert "Nothing was stopped or changed" in answer.words
        assert trouble.says in answer.words
        assert last_request(voipbin) in answer.words

    said = await pressed(bot, card, UNSENT)
    assert trouble.says in said
    assert last_request(voipbin) in said
    assert bot.posts(activeflow) == 0

    everything.clear()
    voipbin.faults.on("POST", "*", trouble.fault, times=None)
    said = await pressed(bot, card, trouble.stop)
    assert trouble.says in said
    assert any(seen.headers["x-request-id"] in said for seen in voipbin.requests if seen.method == "POST")
    assert_nothing_happened_to(activeflow, voipbin)
    assert_nothing_of_it_was_shown(slack, voipbin)


@pytest.mark.parametrize("trouble", GONE, ids=named)
async def test_an_activeflow_that_voipbin_does_not_show_any_more_is_left_alone(
    trouble: Trouble, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    first, second = await bot.asks_to_stop(activeflow), await bot.asks_to_stop(activeflow)
    gone = voipbin.faults.on("GET", "/activeflows/{id}", trouble.fault, times=None)
    answer = await typed(bot, f"show {activeflow.id}")
    assert trouble.told in answer.words
    assert "Nothing was stopped" in (await pressed(bot, first, UNSENT))
    assert bot.posts(activeflow) == 0

    gone.clear()
    voipbin.faults.on("POST", "*", trouble.fault, times=None)
    await pressed(bot, second, trouble.stop)
    assert_nothing_happened_to(activeflow, voipbin)
    assert_nothing_of_it_was_shown(slack, voipbin)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_voipbin_that_does_not_show_it_after_the_stop_has_not_said_that_it_ended(
    answered: bool, bot: Stage, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card = await bot.asks_to_stop(activeflow)
    forbidden = answers(403, "PERMISSION_DENIED")

    async def locks_up(work: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        voipbin.faults.on("GET", "/activeflows/{id}", forbidden, times=None)
        if answered:
            await work(scope, receive, send)
        else:
            await faults.status(503, "REQUEST_TIMEOUT")(work, scope, receive, send)

    voipbin.faults.on("POST", "*", locks_up)
    said = await pressed(bot, card, "Not known\n")
    assert "it was not known whether it worked" in said
    assert len(voipbin.stops) == answered


def assert_nothing_happened_to(activeflow: Activeflow, voipbin: World) -> None:
    assert voipbin.activeflow(activeflow.id).status == "running"
    assert voipbin.stops == []


@pytest.mark.parametrize("question", ["list", "show {}", "stop {}"])
async def test_while_voipbin_says_nothing_at_all_the_asker_is_told_so(
    question: str, bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    silence = faults.hold()
    voipbin.faults.on("GET", "*", silence, times=None)
    assert (await slack.types(ALICE, INCIDENTS, f"/flows {question.format(activeflow.id)}")).error is None
    first = await bot.reads(STILL)
    assert first.ephemeral_to == ALICE
    assert "asking VoIPBIN" in first.words
    silence.release()
    await bot.reads("Support line")


async def test_while_voipbin_says_nothing_at_all_the_presser_is_told_so(
    bot: Stage, slack: Workspace, voipbin: World
) -> None:
    activeflow = voipbin.rings(voipbin.add_flow("Support line"), at="digits_receive")
    card = await bot.asks_to_stop(activeflow)
    silence = faults.hold()
    voipbin.faults.on("GET", "*", silence, times=None)
    assert (await slack.clicks(ALICE, card, "stop.flow")).error is None
    assert (await bot.reads("Your press is recorded")).ephemeral_to == ALICE
    assert_nothing_happened_to(activeflow, voipbin)
    silence.release()
    await bot.reads("Stopped by")


def test_nobody_waits_three_seconds_for_a_first_word() -> None:
    promise = inspect.signature(StopCards).parameters["reassure_after"].default
    assert max(NOTICE_AFTER, promise) <= 2.0
