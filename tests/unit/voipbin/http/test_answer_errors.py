"""Every answer that is no success means one thing, and shows nothing that VoIPBIN wrote freely."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.activeflows.errors import (
    AccountFrozen,
    CredentialRejected,
    Failure,
    PaymentDue,
    StateConflict,
    VoIPBINBroken,
    VoIPBINBusy,
    VoIPBINUnreachable,
)
from bot.voipbin.http.answer import Kind, RequestFailure, failure_of

SENT = "flows-bot-0123456789abcdef0123"


def envelope(reason: object, *, request_id: object = "req_ABC", status: str = "X", details: object = None) -> bytes:
    error = {"status": status, "reason": reason, "message": "Mrs Example +15550100001", "request_id": request_id}
    return json.dumps({"error": error if details is None else {**error, "details": details}}).encode()


REASONS: list[tuple[int, str, Kind, type[Failure], bool]] = [
    # HTTP, reason, what it means, how a person is told, is it certain that nothing was done
    (400, "INVALID_ID", Kind.REFUSED, VoIPBINBroken, True),
    (400, "INVALID_REQUEST_PARAMETER", Kind.REFUSED, VoIPBINBroken, True),
    (400, "INVALID_ARGUMENT", Kind.HICCUP, VoIPBINBroken, False),
    (400, "INVALID_JSON_BODY", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_VARIABLES", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_WEBHOOK_URI", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_WEBHOOK_METHOD", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_ACTION_TYPE", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_ANONYMOUS_VALUE", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "MISSING_REQUEST_PARAMETER", Kind.REFUSED, VoIPBINBroken, True),
    (400, "INVALID_RESOURCE_TYPE", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_ACTIVEFLOW_ID", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (400, "INVALID_CALL_ID", Kind.UNCLASSIFIED, VoIPBINBroken, False),
    (401, "AUTHENTICATION_REQUIRED", Kind.CREDENTIAL, CredentialRejected, True),
    (401, "INVALID_CREDENTIALS", Kind.CREDENTIAL, CredentialRejected, True),
    (402, "PAYMENT_REQUIRED", Kind.UNPAID, PaymentDue, True),
    (403, "PERMISSION_DENIED", Kind.FORBIDDEN, CredentialRejected, True),
    (403, "ACCOUNT_FROZEN", Kind.FROZEN, AccountFrozen, True),
    (403, "DIRECT_ACCESS_NOT_SUPPORTED", Kind.FORBIDDEN, CredentialRejected, True),
    (403, "AGENT_AUTH_REQUIRED", Kind.FORBIDDEN, CredentialRejected, True),
    *[
        (404, f"{what}_NOT_FOUND", Kind.ABSENT, VoIPBINBroken, True)
        for what in ("ACTIVEFLOW", "FLOW", "CALL", "CUSTOMER", "ACCESSKEY", "AGENT", "RESOURCE")
    ],
    (404, "ROUTE_NOT_FOUND", Kind.REFUSED, VoIPBINBroken, True),
    (409, "STATE_INVALID", Kind.GONE, StateConflict, True),
    (409, "ACTIVEFLOW_ALREADY_STOPPED", Kind.CONFLICT, StateConflict, True),
    (409, "FLOW_STATE_INVALID", Kind.CONFLICT, StateConflict, True),
    (429, "RATE_LIMIT_EXCEEDED", Kind.THROTTLED, VoIPBINBusy, True),
    (500, "INTERNAL", Kind.INTERNAL, VoIPBINBroken, False),
    (503, "REQUEST_TIMEOUT", Kind.UNAVAILABLE, VoIPBINUnreachable, False),
    (503, "REQUEST_CANCELED", Kind.UNAVAILABLE, VoIPBINUnreachable, False),
    (503, "SERVICE_UNAVAILABLE", Kind.UNAVAILABLE, VoIPBINUnreachable, False),
]


@pytest.mark.parametrize(("status", "reason", "kind", "failure", "nothing_done"), REASONS)
def test_each_reason_means_one_thing(
    status: int, reason: str, kind: Kind, failure: type[Failure], nothing_done: bool
) -> None:
    trouble = failure_of(status, {}, envelope(reason), sent_as=SENT)
    assert trouble.kind is kind
    assert trouble.before_any_work is nothing_done
    told = trouble.failure()
    assert type(told) is failure
    assert told.what.startswith(f"VoIPBIN answered {status} {reason}")
    assert told.request_id == "req_ABC"


@pytest.mark.parametrize(
    ("status", "kind", "nothing_done"),
    [
        (301, Kind.REFUSED, True),
        (307, Kind.REFUSED, True),
        (400, Kind.UNCLASSIFIED, False),
        (401, Kind.CREDENTIAL, True),
        (403, Kind.FORBIDDEN, True),
        (404, Kind.REFUSED, True),
        (405, Kind.REFUSED, True),
        (408, Kind.UNAVAILABLE, False),
        (409, Kind.CONFLICT, True),
        (410, Kind.GONE, True),
        (418, Kind.UNCLASSIFIED, False),
        (429, Kind.THROTTLED, True),
        (500, Kind.INTERNAL, False),
        (502, Kind.UNAVAILABLE, False),
        (504, Kind.UNAVAILABLE, False),
        (520, Kind.UNCLASSIFIED, False),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html><h1>Bad gateway</h1></html>", b'{"message":"x"}', b'{"error":"x"}', b"[]"]
)
def test_without_an_envelope_the_status_alone_decides(status: int, kind: Kind, nothing_done: bool, body: bytes) -> None:
    trouble = failure_of(status, {"content-type": "text/html"}, body, sent_as=SENT)
    assert trouble.kind is kind
    assert trouble.before_any_work is nothing_done
    assert trouble.request_id == SENT


def test_an_unknown_reason_falls_back_on_the_status() -> None:
    assert failure_of(404, {}, envelope("PARCEL_NOT_FOUND"), sent_as=SENT).kind is Kind.ABSENT
    assert failure_of(503, {}, envelope("ON_HOLIDAY"), sent_as=SENT).kind is Kind.UNAVAILABLE


def test_an_envelope_labelled_as_text_is_read_all_the_same() -> None:
    trouble = failure_of(400, {"content-type": "text/plain"}, envelope("INVALID_ARGUMENT"), sent_as=SENT)
    assert trouble.kind is Kind.HICCUP


def test_the_message_is_never_shown() -> None:
    for status, reason, *_ in REASONS:
        assert "Example" not in repr(failure_of(status, {}, envelope(reason), sent_as=SENT))


@pytest.mark.parametrize(
    ("body_id", "header_id", "expected"),
    [
        ("req_ABC", "hdr", "req_ABC"),
        (None, "hdr-1", "hdr-1"),
        ("two words", "hdr", "hdr"),
        ("x" * 65, None, SENT),
        (7, "<script>", SENT),
        (None, None, SENT),
    ],
)
def test_the_request_id_is_the_bodys_else_the_headers_else_ours(
    body_id: object, header_id: str | None, expected: str
) -> None:
    headers = {} if header_id is None else {"x-request-id": header_id}
    assert failure_of(500, headers, envelope("INTERNAL", request_id=body_id), sent_as=SENT).request_id == expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 1.0), ("1", 1.0), ("0", 0.0), ("7", 7.0), ("86400", 30.0), ("nan", 1.0), ("soon", 1.0), ("-3", 1.0)],
)
def test_a_429_says_how_long_to_wait_within_reason(header: str | None, seconds: float) -> None:
    headers = {} if header is None else {"retry-after": header}
    told = failure_of(429, headers, envelope("RATE_LIMIT_EXCEEDED"), sent_as=SENT).failure()
    assert isinstance(told, VoIPBINBusy)
    assert told.retry_after == seconds


def test_a_frozen_account_is_told_with_its_dates() -> None:
    details = [{"deletion_scheduled_at": "2026-08-01T09:00:00Z", "deletion_effective_at": "2026-08-31T09:00:00Z"}]
    told = failure_of(403, {}, envelope("ACCOUNT_FROZEN", details=details), sent_as=SENT).failure()
    assert "2026-08-01" in told.what
    assert "2026-08-31" in told.what


@pytest.mark.parametrize(
    "details", [None, [], {}, "x", [3], [{"deletion_scheduled_at": 5}], [{"deletion_effective_at": None}]]
)
def test_a_frozen_account_without_dates_is_told_all_the_same(details: object) -> None:
    told = failure_of(403, {}, envelope("ACCOUNT_FROZEN", details=details), sent_as=SENT).failure()
    assert told.what.endswith("frozen")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "reason", "details"]), inner),
    max_leaves=8,
)


@given(st.integers(100, 599), st.binary(max_size=80) | JSON.map(lambda found: json.dumps({"error": found}).encode()))
def test_no_answer_raises(status: int, body: bytes) -> None:
    trouble = failure_of(status, {"retry-after": "x", "x-request-id": "?"}, body, sent_as=SENT)
    assert isinstance(trouble, RequestFailure)
    assert isinstance(trouble.failure(), Failure)
    assert len(trouble.what) < 250


def test_a_body_of_megabytes_is_not_searched_for_an_envelope() -> None:
    body = envelope("ACTIVEFLOW_NOT_FOUND") + b" " * 100_000
    assert failure_of(404, {}, body, sent_as=SENT).kind is Kind.REFUSED
