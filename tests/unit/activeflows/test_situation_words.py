"""Every action type VoIPBIN has, the options that are said, and the examples of its own answers."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from bot.activeflows.model import FINISH_ID, START_ID, Action, Activeflow, Flow, Reference, Status
from bot.activeflows.situation.actions import WORDS, named, ordinal
from bot.activeflows.situation.current_step import situation

QUEUE, OTHER = UUID(int=0xA), UUID(int=0xB)


def alone(type_: str, option: Mapping[str, str | int | bool] | None = None, reference: str = "call") -> Activeflow:
    return Activeflow(
        id=UUID(int=1234),
        customer_id=None,
        flow_id=None,
        status=Status.RUNNING,
        reference=Reference(reference),
        current=Action(UUID(int=99), type_, option or {}),
        executed=(Action(START_ID),),
    )


TYPES = {
    "ai_summary": ("action.ai_summary", "writing an AI summary"),
    "ai_talk": ("ai.talk", "starting a talk with an AI"),
    "ai_task": ("ai.task", "handing over to an AI task"),
    "amd": ("action.amd", "listening for an answering machine"),
    "answer": ("action.answer", "answering the call"),
    "beep": ("action.beep", "playing a beep"),
    "block": ("block", "waiting to be resumed"),
    "branch": ("action.branch", "choosing a branch"),
    "call": ("action.call", "placing a separate call"),
    "case_create": ("action.case_create", "opening a case"),
    "condition_call_digits": ("action.condition_call_digits", "checking the keypad input"),
    "condition_call_status": ("action.condition_call_status", "checking the call"),
    "condition_datetime": ("action.condition_datetime", "checking the time"),
    "condition_variable": ("action.condition_variable", "checking a variable"),
    "confbridge_join": ("bridge", "talking in a bridge"),
    "conference_join": ("conference.joining", "joining a conference"),
    "connect": ("connected", "dialling another party"),
    "conversation_send": ("action.conversation_send", "sending a chat message"),
    "digits_receive": ("digits", "waiting for keypad input"),
    "digits_send": ("action.digits_send", "sending tones"),
    "echo": ("echo", "running an echo test"),
    "email_send": ("action.email_send", "sending an e-mail"),
    "empty": ("action.empty", "passing an empty step"),
    "external_media_start": ("action.external_media_start", "starting to stream audio out"),
    "external_media_stop": ("action.external_media_stop", "stopping the audio stream"),
    "fetch": ("action.fetch", "fetching further steps"),
    "fetch_flow": ("action.fetch_flow", "entering another flow"),
    "goto": ("action.goto", "jumping to another step"),
    "hangup": ("action.hangup", "hanging up"),
    "message_send": ("action.message_send", "sending an SMS"),
    "mute": ("action.mute", "muting"),
    "play": ("play", "playing audio"),
    "queue_join": ("queue.waiting", "entering a queue"),
    "recording_start": ("action.recording_start", "starting a recording"),
    "recording_stop": ("action.recording_stop", "stopping the recording"),
    "sleep": ("sleep", "pausing"),
    "stop": ("action.stop", "ending the flow"),
    "stream_echo": ("echo", "running an echo test"),
    "talk": ("talk", "speaking a text"),
    "transcribe_recording": ("action.transcribe_recording", "transcribing recordings"),
    "transcribe_start": ("action.transcribe_start", "starting live transcription"),
    "transcribe_stop": ("action.transcribe_stop", "stopping live transcription"),
    "variable_set": ("action.variable_set", "setting a variable"),
    "webhook_send": ("action.webhook_send", "calling a webhook"),
}


@pytest.mark.parametrize("type_", TYPES)
def test_each_type_has_its_kind_and_its_words(type_: str) -> None:
    told = situation(alone(type_))
    assert (told.kind, told.words) == TYPES[type_]
    assert (told.action, told.openers, told.warning, told.certain) == (type_, (), "", True)


def test_all_44_types_have_words() -> None:
    assert len(WORDS) == 44
    assert set(WORDS) == set(TYPES)


@pytest.mark.parametrize(
    ("type_", "option", "words"),
    [
        ("digits_receive", {"length": 6, "key": "#", "duration": 8000}, "waiting for keypad input, up to 6 digits, # ends"),
        ("digits_receive", {"length": 1}, "waiting for keypad input, up to 1 digit"),
        ("digits_receive", {"key": "*"}, "waiting for keypad input, * ends"),
        ("digits_receive", {"length": 0, "key": ""}, "waiting for keypad input"),
        ("sleep", {"duration": 8000}, "pausing for 8 s"),
        ("sleep", {"duration": 500}, "pausing for under 1 s"),
        ("echo", {"duration": 180_000}, "running an echo test, up to 3 min"),
        ("talk", {"language": "en-GB"}, "speaking a text (en-GB)"),
        ("talk", {"language": "please call me back"}, "speaking a text"),
        ("connect", {"destinations": 1}, "dialling another party"),
        ("connect", {"destinations": 3}, "dialling another party (3 destinations)"),
        ("hangup", {"reason": "busy"}, "hanging up as busy"),
        ("hangup", {"reason": "because"}, "hanging up"),
        ("queue_join", {"queue_id": str(QUEUE)}, "entering queue Support"),
        ("queue_join", {"queue_id": "not an id"}, "entering a queue"),
        ("queue_join", {"queue_id": str(UUID(int=0))}, "entering a queue"),
        ("fetch_flow", {"flow_id": str(OTHER)}, "entering another flow"),
        ("play", {"stream_urls": 2, "host": "media.example.net"}, "playing audio"),
    ],
)  # fmt: skip
def test_options_are_said_in_units_people_use(
    type_: str, option: Mapping[str, str | int | bool], words: str
) -> None:  # fmt: skip
    assert situation(alone(type_, option), name_of={QUEUE: "Support", UUID(int=0): "Zero"}.get).words == words


def test_an_unknown_type_shows_its_raw_name() -> None:
    told = situation(alone("brand_new_thing"))
    assert (told.kind, told.words, told.action) == (
        "action.brand_new_thing",
        "unknown step brand_new_thing",
        "brand_new_thing",
    )


def test_an_unknown_type_that_is_no_plain_word_is_not_repeated() -> None:
    told = situation(alone("<!channel> call +15550100001"))
    assert (told.kind, told.words, told.action) == ("action.unknown", "unknown step", "")


def test_a_team_of_ais_is_called_one() -> None:
    talk = Action(UUID(int=8), "ai_talk", {"assistance_type": "team"})
    activeflow = Activeflow(
        UUID(int=1), None, None, Status.RUNNING, Reference("call"), Action(UUID(int=9), "confbridge_join"), (talk,)
    )
    assert situation(activeflow).words == "talking to an AI team"


# Examples of VoIPBIN's own answers: https://api.voipbin.net/docs/activeflow_struct_activeflow.html

ANSWER, TALK, DIGITS, JOIN = (Action(UUID(int=100 + n), t) for n, t in enumerate(("answer", "talk", "d", "queue_join")))
MENU = Flow(UUID(int=7), "Support line", frozenset(UUID(int=100 + n) for n in range(4)))


def example(status: Status, current: Action, *executed: Action, reference: str = "call") -> Activeflow:
    return Activeflow(UUID(int=1), UUID(int=2), MENU.id, status, Reference(reference), current, executed)


def test_a_call_that_waits_for_digits() -> None:
    current = Action(DIGITS.id, "digits_receive", {"duration": 8000, "key": "#", "length": 6})
    told = situation(example(Status.RUNNING, current, Action(START_ID), ANSWER, TALK), flow=MENU)
    assert told.words == "waiting for keypad input, up to 6 digits, # ends"


@pytest.mark.parametrize(("flow", "sure"), [(MENU, True), (None, True)])
def test_a_call_on_its_second_lap_of_the_wait_flow(flow: Flow | None, sure: bool) -> None:
    join = Action(JOIN.id, "queue_join", {"queue_id": str(QUEUE)})
    fetch, empty = Action(UUID(int=201), "fetch_flow"), Action(UUID(int=202), "empty")
    sorry, hold = Action(UUID(int=301), "talk"), Action(UUID(int=302), "play")
    executed = (Action(START_ID), ANSWER, join, fetch, sorry, hold, empty, fetch, sorry)
    told = situation(example(Status.RUNNING, hold, *executed), flow=flow, name_of={QUEUE: "Support"}.get)
    assert (told.words, told.certain) == ("waiting in queue Support, 2nd time round", sure)
    assert (told.action, told.openers) == ("play", ("queue_join",))


def test_a_very_old_row_without_a_status() -> None:
    told = situation(Activeflow(UUID(int=1), None, None, Status.UNKNOWN, Reference(), Action(START_ID)))
    assert (told.kind, told.words) == ("starting", "created, no step yet, status unknown")


def test_one_that_came_to_its_own_end() -> None:
    sent = Action(UUID(int=5), "conversation_send")
    told = situation(example(Status.ENDED, Action(FINISH_ID), Action(START_ID), sent, reference="conversation"))
    assert (told.kind, told.words, told.action) == ("ended.by_itself", "ended by itself", "")


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"),
     (22, "22nd"), (101, "101st"), (111, "111th")],
)  # fmt: skip
def test_ordinals_end_as_people_say_them(number: int, said: str) -> None:
    assert ordinal(number) == said


def test_names_stay_on_one_line_and_are_not_endless() -> None:
    assert named("Support\n\tline\u202e \x00") == "Support line"
    assert named("x" * 100) == "x" * 59 + "…"
    assert named(None) == ""
