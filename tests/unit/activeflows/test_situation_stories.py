"""Lives of callers, step by step, and what somebody on call would read at each."""

from collections.abc import Mapping
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Flow, Reference, Status
from bot.activeflows.situation.current_step import Situation, queues_named, situation

FLOW = UUID(int=77)
SUPPORT = UUID(int=0x6E5D4C3B)
NAMES = {SUPPORT: "Support"}
OPTIONS: Mapping[str, Mapping[str, str | int | bool]] = {
    "queue_join": {"queue_id": str(SUPPORT)},
    "digits_receive": {"length": 1},
}


def step(name: str) -> Action:
    """``play`` or ``play#2``: the same name is the same action of the same flow."""
    type_ = name.partition("#")[0]
    return Action(uuid5(NAMESPACE_OID, name), type_, OPTIONS.get(type_, {}))


def at(line: str, *, status: Status = Status.RUNNING, reference: str = "call") -> Activeflow:
    """``answer talk > play``: executed, then current."""
    executed, _, current = line.rpartition(">")
    markers = {"start": Action(START_ID), "finish": Action(FINISH_ID)}
    return Activeflow(
        id=UUID(int=1234),
        customer_id=None,
        flow_id=FLOW,
        status=status,
        reference=Reference(reference, UUID(int=5) if reference else None),
        current=markers.get(current.strip()) or step(current.strip()),
        executed=(markers["start"], *(step(name) for name in executed.split())) if current.strip() != "start" else (),
    )


def flow(steps: str) -> Flow:
    return Flow(FLOW, "Support line", frozenset(step(name).id for name in steps.split()))


def seen(line: str, own: str = "", *, status: Status = Status.RUNNING, reference: str = "call") -> Situation:
    definition = flow(own) if own else None
    return situation(at(line, status=status, reference=reference), flow=definition, name_of=NAMES.get)


LINE = "answer talk queue_join talk#sorry hangup"


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("> start", "starting", "created, no step yet, the call could still be ringing"),
        ("answer > talk", "talk", "speaking a text"),
        ("answer talk > queue_join", "queue.waiting", "entering queue Support"),
        ("answer talk queue_join > fetch_flow", "queue.waiting", "waiting in queue Support"),
        ("answer talk queue_join fetch_flow > talk#wait", "queue.waiting", "waiting in queue Support"),
        ("answer talk queue_join fetch_flow talk#wait > play", "queue.waiting", "waiting in queue Support"),
        ("answer talk queue_join fetch_flow talk#wait play > empty", "queue.waiting", "waiting in queue Support"),
        (
            "answer talk queue_join fetch_flow talk#wait play empty > fetch_flow",
            "queue.waiting",
            "waiting in queue Support, 2nd time round",
        ),
        (
            "answer talk queue_join fetch_flow talk#wait play empty fetch_flow talk#wait play empty fetch_flow > play",
            "queue.waiting",
            "waiting in queue Support, 3rd time round",
        ),
        (
            "answer talk queue_join fetch_flow talk#wait play empty fetch_flow > confbridge_join",
            "queue.agent",
            "put through to an agent from queue Support",
        ),
        ("answer talk queue_join fetch_flow play confbridge_join > talk#sorry", "talk", "speaking a text"),
        ("answer talk queue_join fetch_flow play > talk#sorry", "talk", "speaking a text"),
        ("answer talk queue_join fetch_flow play talk#sorry hangup > finish", "finishing",
         "at its end, not reported as ended yet"),
    ],
)  # fmt: skip
def test_a_caller_goes_through_a_queue_to_an_agent_and_out_again(line: str, kind: str, words: str) -> None:
    told = seen(line, LINE)
    assert (told.kind, told.words, told.certain) == (kind, words, True)


def test_keypad_input_inside_the_wait_flow_is_still_waiting_in_the_queue() -> None:
    told = seen("answer talk queue_join fetch_flow talk#wait > digits_receive", LINE)
    assert (told.kind, told.action, told.openers) == ("queue.waiting", "digits_receive", ("queue_join",))


def test_an_old_queue_that_loops_over_a_pause_without_a_wait_flow_counts_its_laps_too() -> None:
    assert seen("answer talk queue_join sleep sleep > sleep", LINE).words == "waiting in queue Support, 3rd time round"


def test_without_the_definition_the_queue_is_only_probable_after_its_first_lap() -> None:
    told = seen("answer queue_join fetch_flow > play")
    assert (told.kind, told.words, told.certain) == ("queue.waiting", "probably waiting in queue Support", False)


def test_a_step_seen_on_an_earlier_lap_needs_no_definition_to_be_sure() -> None:
    told = seen("answer queue_join fetch_flow play empty fetch_flow > play")
    assert (told.words, told.certain) == ("waiting in queue Support, 2nd time round", True)


def test_without_the_definition_an_agent_is_only_probable() -> None:
    told = seen("answer queue_join fetch_flow play > confbridge_join")
    assert told.words == "probably put through to an agent from queue Support"


def test_a_definition_that_was_edited_since_is_not_believed() -> None:
    told = seen("answer talk queue_join fetch_flow > talk#sorry", "answer talk#new queue_join#new talk#other")
    assert told.words == "probably waiting in queue Support"


def test_the_definition_of_another_flow_is_not_believed() -> None:
    other = Flow(UUID(int=78), "Another", flow(LINE).action_ids)
    told = situation(at("answer talk queue_join fetch_flow > talk#sorry"), flow=other)
    assert not told.certain


def test_a_step_back_on_the_menu_is_known_without_the_definition_when_it_was_there_before_the_queue() -> None:
    told = seen("answer talk queue_join fetch_flow play goto > talk")
    assert (told.kind, told.openers) == ("talk", ())


def test_an_ai_talk_within_a_queue_is_both() -> None:
    told = seen("answer talk queue_join fetch_flow ai_talk > confbridge_join#ai", LINE)
    assert told.words == "talking to an AI, waiting in queue Support"
    assert told.openers == ("queue_join", "ai_talk")


def test_an_agent_after_the_ai_in_a_queue_is_an_agent() -> None:
    line = "answer talk queue_join fetch_flow ai_talk confbridge_join#ai > confbridge_join#agent"
    assert seen(line, LINE).kind == "queue.agent"
    assert seen(line).kind == "queue.agent"


def test_a_second_queue_after_the_first_starts_counting_again() -> None:
    line = (
        "answer queue_join fetch_flow play empty fetch_flow play talk#sorry queue_join#night fetch_flow#night > play#n"
    )
    assert seen(line, "answer queue_join talk#sorry queue_join#night").words == "waiting in queue Support"


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("answer > connect", "connected", "dialling another party"),
        ("answer connect > confbridge_join", "connected", "put through to another party"),
        ("answer connect confbridge_join > hangup", "action.hangup", "hanging up"),
        ("answer connect > play", "play", "playing audio"),
        ("answer > ai_talk", "ai.talk", "starting a talk with an AI"),
        ("answer ai_talk > confbridge_join", "ai.talk", "talking to an AI"),
        ("answer > conference_join", "conference.joining", "joining a conference"),
        ("answer conference_join fetch_flow#pre > talk", "conference.joining", "joining a conference"),
        ("answer conference_join fetch_flow#pre talk > confbridge_join", "conference", "in a conference"),
        ("answer conference_join confbridge_join > play", "play", "playing audio"),
        ("answer > confbridge_join", "bridge", "talking in a bridge"),
        ("answer connect confbridge_join > confbridge_join#2", "bridge", "talking in a bridge"),
        ("answer fetch_flow > digits_receive", "digits", "waiting for keypad input, up to 1 digit"),
        ("answer fetch_flow connect > confbridge_join", "connected", "put through to another party"),
    ],
)
def test_a_bridge_is_named_after_what_led_there(line: str, kind: str, words: str) -> None:
    own = "answer connect ai_talk conference_join fetch_flow"
    told = seen(line, own)
    assert (told.kind, told.words) == (kind, words)


def test_a_bridge_right_after_its_opener_needs_no_definition() -> None:
    assert seen("answer connect > confbridge_join").words == "put through to another party"
    assert seen("answer ai_talk > confbridge_join").words == "talking to an AI"


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("ai_talk > block", "ai.chat", "chatting with an AI"),
        ("ai_task > block", "ai.task", "waiting for an AI task"),
        ("ai_task block > conversation_send", "action.conversation_send", "sending a chat message"),
        ("conversation_send > block", "block", "waiting to be resumed"),
        ("> ai_talk", "ai.chat", "starting a talk with an AI"),
    ],
)
def test_a_conversation_waits_on_its_ai(line: str, kind: str, words: str) -> None:
    told = seen(line, reference="conversation")
    assert (told.kind, told.words) == (kind, words)


def test_a_campaign_without_a_call_speaks_of_no_call() -> None:
    assert seen("> start", reference="campaign").words == "created, no step yet"
    assert seen("variable_set > message_send", reference="campaign").words == "sending an SMS"


@pytest.mark.parametrize(
    ("line", "own", "kind", "words"),
    [
        ("answer > play", "", "ended", "ended while playing audio"),
        ("answer talk queue_join fetch_flow > play", LINE, "ended", "ended while waiting in queue Support"),
        ("answer talk queue_join fetch_flow > play", "", "ended", "ended, probably while waiting in queue Support"),
        ("answer talk > finish", "", "ended.by_itself", "ended by itself"),
        ("> start", "", "ended", "ended before its first step"),
    ],
)
def test_an_ended_one_says_where_it_ended_and_blames_nobody(line: str, own: str, kind: str, words: str) -> None:
    told = seen(line, own, status=Status.ENDED)
    assert (told.kind, told.words) == (kind, words)


def test_a_status_that_cannot_be_read_is_said() -> None:
    told = seen("answer > play", status=Status.UNKNOWN)
    assert (told.kind, told.words) == ("play", "playing audio, status unknown")


def test_a_menu_said_again_and_again_is_told_as_laps() -> None:
    lap = "talk digits_receive branch goto "
    assert seen(f"answer {lap} > talk", "answer talk digits_receive branch goto").words == "speaking a text"
    assert seen(f"answer {lap * 8} > talk", "answer talk digits_receive branch goto").words == (
        "speaking a text, 9th time round: text → keypad input → menu choice"
    )


@pytest.mark.parametrize(("steps", "warning"), [(79, ""), (80, "80 of 101 steps used, VoIPBIN will end it")])
def test_the_step_budget_is_said_from_eighty_steps_on(steps: int, warning: str) -> None:
    line = "answer " + "talk " * (steps - 2) + "> play"  # the start marker counts too
    assert seen(line).warning == warning
    assert seen(line, status=Status.ENDED).warning == ""


def test_the_budget_is_counted_in_laps_for_somebody_in_a_queue() -> None:
    line = "answer talk queue_join fetch_flow " + "play empty fetch_flow " * 27 + "> play"
    assert seen(line, LINE).warning == "86 of 101 steps used, VoIPBIN will end it after about 5 more times round"


def test_only_queues_that_matter_now_are_to_be_named() -> None:
    assert queues_named(at("answer queue_join fetch_flow > play")) == (SUPPORT,)
    assert queues_named(at("answer > queue_join")) == (SUPPORT,)
    assert queues_named(at("answer talk queue_join fetch_flow > talk#sorry"), flow=flow(LINE)) == ()
    assert queues_named(at("answer > play")) == ()


def test_a_connect_that_was_skipped_encloses_nothing() -> None:
    told = seen("answer connect > play", "answer connect")
    assert (told.words, told.openers) == ("playing audio", ())


def test_the_queues_empty_step_leaves_whatever_its_wait_flow_had_opened() -> None:
    told = seen("answer queue_join fetch_flow fetch_flow#inner play > empty")
    assert (told.openers, told.certain) == (("queue_join",), True)


def test_an_empty_step_proves_nothing_where_there_is_no_queue() -> None:
    assert seen("answer conference_join > empty").words == "probably joining a conference"


def test_what_a_step_says_by_itself_is_never_probable() -> None:
    told = seen("answer fetch_flow > play")
    assert (told.words, told.certain, told.openers) == ("playing audio", True, ("fetch_flow",))


def test_no_laps_are_promised_for_a_queue_that_is_only_probable() -> None:
    line = "answer talk queue_join fetch_flow " + "play empty fetch_flow " * 27 + "> beep"
    assert seen(line).warning == "86 of 101 steps used, VoIPBIN will end it"


def test_no_more_steps_are_said_to_be_used_than_there_are() -> None:
    assert seen("talk " * 120 + "> play").warning.startswith("101 of 101 steps used")


def test_a_long_circle_is_told_by_its_first_steps() -> None:
    lap = "talk play beep sleep answer mute "
    assert seen(f"{lap * 2} > talk").words == "speaking a text, 3rd time round: text → audio → beep → pause → …"
