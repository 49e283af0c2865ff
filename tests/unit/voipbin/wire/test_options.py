"""Only what a person may be shown is decoded from an action's options."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.voipbin.wire.answers import ALLOWED, showable
from bot.voipbin.wire.shapes import WireOption

ID = "6e5d4c3b-2a19-4f08-97e6-d5c4b3a29180"
NUMBERS = [{"type": "tel", "target": "+15550100001"}, {"type": "tel", "target": "+15550100002"}, {"type": "sip"}]


@pytest.mark.parametrize(
    ("action_type", "option", "shown"),
    [
        ("digits_receive", {"duration": 8000, "key": "#", "length": 6}, {"duration": 8000, "key": "#", "length": 6}),
        ("play", {"stream_urls": ["https://a.example/1?sig=s", "https://a.example/2"]}, {"stream_urls": 2}),
        ("talk", {"language": "en-GB", "text": "Hello Mrs Example", "async": True}, {"language": "en-GB", "async": True}),
        ("queue_join", {"queue_id": ID}, {"queue_id": ID}),
        ("queue_join", {"queue_id": "00000000-0000-0000-0000-000000000000"}, {}),
        ("fetch_flow", {"flow_id": ID.upper()}, {"flow_id": ID}),
        (
            "connect",
            {"source": NUMBERS[0], "destinations": NUMBERS, "early_media": False},
            {"destinations": 3, "early_media": False, "destination_types": "tel,sip"},
        ),
        ("call", {"destinations": NUMBERS, "chained": True}, {"destinations": 3, "chained": True}),
        ("digits_send", {"digits": "4711"}, {"digits": 4}),
        ("email_send", {"destinations": [{"target": "a@example.com"}], "subject": "s", "content": "c"}, {"destinations": 1}),
        ("fetch", {"event_url": "https://user:secret@hooks.example.com:8443/x?k=v"}, {"host": "hooks.example.com"}),
        (
            "webhook_send",
            {"uri": "https://hooks.example.com/t/secret", "method": "POST", "sync": True, "data": "{}"},
            {"host": "hooks.example.com", "method": "POST", "sync": True},
        ),
        ("variable_set", {"key": "customer.tier", "value": "gold"}, {"key": "customer.tier"}),
        ("branch", {"variable": "voipbin.call.digits", "target_ids": {"1": ID}}, {"variable": "voipbin.call.digits", "target_ids": 1}),
        ("condition_variable", {"condition": "==", "value_type": "string", "value_string": "x"}, {"condition": "==", "value_type": "string"}),
        ("condition_datetime", {"condition": ">=", "hour": 9, "weekdays": [1, 2, 3]}, {"condition": ">=", "hour": 9, "weekdays": "1,2,3"}),
        ("queue_join", {"queue_id": "next-best"}, {}),
        ("fetch", {"event_url": "https://[oops/x"}, {}),
        ("conversation_send", {"text": "hi", "sync": True}, {}),
        ("external_media_start", {"external_host": "10.1.2.3:8080"}, {}),
        ("case_create", {"name": "Mrs Example is angry"}, {}),
        ("a_type_of_next_year", {"language": "en-GB", "key": "#"}, {}),
        ("", {"duration": 1}, {}),
    ],
)  # fmt: skip
def test_an_option_shows_what_the_table_allows_and_nothing_else(
    action_type: str, option: dict[str, object], shown: dict[str, object]
) -> None:
    assert showable(action_type, option) == shown


def test_a_branch_says_how_many_targets_it_has() -> None:
    assert showable("branch", {"target_ids": {"1": ID, "2": ID}})["target_ids"] == 2


@pytest.mark.parametrize(
    "value", ["+15550100001", "a@example.com", "two words", "x" * 65, "4930123456", "a\nb", "日本"]
)
def test_a_word_that_may_be_somebodys_number_or_text_is_dropped(value: str) -> None:
    assert showable("variable_set", {"key": value}) == {}
    assert showable("talk", {"language": value}) == {}


SECRET = "+15550199999"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(SECRET) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.just("type") | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from([*WireOption.__annotations__, "text", "value", "source", "webhook_uri", "content"])


@given(st.sampled_from([*ALLOWED, "talk2"]), st.dictionaries(FIELDS, ANYTHING, max_size=6))
def test_no_value_of_any_shape_raises_or_smuggles_a_number_in(action_type: str, option: dict[str, object]) -> None:
    shown = showable(action_type, option)
    assert all(isinstance(value, str | int | bool) for value in shown.values())
    assert SECRET not in repr(shown)
    assert not {"text", "value", "source", "content", "uri", "event_url"} & shown.keys()


def test_every_allowed_field_is_one_the_decoder_keeps_and_the_other_way_round() -> None:
    named = {field for fields in ALLOWED.values() for field in fields}
    assert named == set(WireOption.__annotations__)
