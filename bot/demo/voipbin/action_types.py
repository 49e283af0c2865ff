"""VoIPBIN's 44 action types: where each can run, and how many seconds it usually stays the current action (0: passes at once).

An action of the wrong class is skipped silently, but appears among the executed ones
(https://api.voipbin.net/docs/flow_struct_action.html).
"""

from typing import NamedTuple

WITH_A_CALL, WITHOUT_A_CALL, ANYWHERE = "with a call", "without a call", "anywhere"


class ActionType(NamedTuple):
    """`runs`: one of the three above; `seconds`: its usual length."""

    runs: str
    seconds: float


ACTION_TYPES = {
    "ai_summary": ActionType(WITHOUT_A_CALL, 3.0),
    "ai_talk": ActionType(ANYWHERE, 0.0),
    "ai_task": ActionType(WITHOUT_A_CALL, 0.0),
    "amd": ActionType(WITH_A_CALL, 4.0),
    "answer": ActionType(WITH_A_CALL, 0.0),
    "beep": ActionType(WITH_A_CALL, 0.5),
    "block": ActionType(WITHOUT_A_CALL, 40.0),
    "branch": ActionType(ANYWHERE, 0.0),
    "call": ActionType(ANYWHERE, 0.0),
    "case_create": ActionType(ANYWHERE, 0.0),
    "condition_call_digits": ActionType(WITH_A_CALL, 0.0),
    "condition_call_status": ActionType(WITH_A_CALL, 0.0),
    "condition_datetime": ActionType(ANYWHERE, 0.0),
    "condition_variable": ActionType(ANYWHERE, 0.0),
    "confbridge_join": ActionType(WITH_A_CALL, 60.0),
    "conference_join": ActionType(WITH_A_CALL, 0.0),
    "connect": ActionType(WITH_A_CALL, 0.0),
    "conversation_send": ActionType(ANYWHERE, 0.0),
    "digits_receive": ActionType(WITH_A_CALL, 6.0),
    "digits_send": ActionType(WITH_A_CALL, 1.0),
    "echo": ActionType(WITH_A_CALL, 180.0),
    "email_send": ActionType(ANYWHERE, 0.8),
    "empty": ActionType(ANYWHERE, 0.0),
    "external_media_start": ActionType(WITH_A_CALL, 0.0),
    "external_media_stop": ActionType(WITH_A_CALL, 0.0),
    "fetch": ActionType(ANYWHERE, 0.0),
    "fetch_flow": ActionType(ANYWHERE, 0.0),
    "goto": ActionType(ANYWHERE, 0.0),
    "hangup": ActionType(WITH_A_CALL, 0.0),
    "message_send": ActionType(ANYWHERE, 0.8),
    "mute": ActionType(WITH_A_CALL, 0.0),
    "play": ActionType(WITH_A_CALL, 8.0),
    "queue_join": ActionType(WITH_A_CALL, 0.0),
    "recording_start": ActionType(WITH_A_CALL, 0.0),
    "recording_stop": ActionType(WITH_A_CALL, 0.0),
    "sleep": ActionType(WITH_A_CALL, 1.0),
    "stop": ActionType(ANYWHERE, 0.0),
    "stream_echo": ActionType(WITH_A_CALL, 180.0),
    "talk": ActionType(WITH_A_CALL, 4.0),
    "transcribe_recording": ActionType(ANYWHERE, 0.0),
    "transcribe_start": ActionType(WITH_A_CALL, 0.0),
    "transcribe_stop": ActionType(WITH_A_CALL, 0.0),
    "variable_set": ActionType(ANYWHERE, 0.0),
    "webhook_send": ActionType(ANYWHERE, 0.5),
}
UNKNOWN = ActionType(ANYWHERE, 0.0)


def action_type(name: str) -> ActionType:
    """What is known of a type; markers and unknown types pass at once, anywhere."""
    return ACTION_TYPES.get(name, UNKNOWN)
